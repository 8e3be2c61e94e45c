// tries: to execute itself from a thread, for ever
// ends: wall_time, signal
// within: 4
#include <thread>
#include <unistd.h>
int main() {
    for (int n = 0; n < 8; n++) std::thread([] { execl("./main", "main", (char *)nullptr); }).detach();
    for (;;) pause();
}
