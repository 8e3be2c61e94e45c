// tries: to hang in vfork, where a parent cannot be interrupted, while its child sleeps with all signals blocked
// ends: wall_time
// within: 4.5
#include <csignal>
#include <unistd.h>

int main() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    if (vfork() == 0)
        for (;;) sleep(60);
}
