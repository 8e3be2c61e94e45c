// tries: faults in many processes at once, each of which might be dumped
// ends: completed
// within: 4
#include <unistd.h>
#include <sys/wait.h>
int main() {
    for (int n = 0; n < 300; n++)
        if (fork() == 0) __builtin_trap();
    while (wait(nullptr) > 0) {}
}
