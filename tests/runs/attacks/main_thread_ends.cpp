// tries: to end the first thread alone, so that the process is half a zombie
// ends: wall_time
// within: 4
#include <thread>
#include <pthread.h>
int main() {
    std::thread([] { for (;;) std::this_thread::sleep_for(std::chrono::hours(1)); }).detach();
    pthread_exit(nullptr);
}
