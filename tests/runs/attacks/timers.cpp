// tries: to keep the kernel busy with timers
// ends: wall_time, completed
// within: 4
#include <csignal>
#include <ctime>
#include <unistd.h>
int main() {
    std::signal(SIGUSR1, SIG_IGN);
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    itimerspec every{{0, 1}, {0, 1}};
    timer_t timer;
    while (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) timer_settime(timer, 0, &every, nullptr);
    for (;;) pause();
}
