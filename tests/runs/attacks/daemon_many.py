# tries: to leave 50 daemons behind, each with all signals blocked, its streams closed, in a session of its own
# ends: completed
# within: 4
import os
import signal

for _ in range(50):
    if os.fork() == 0:
        os.setsid()
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        os.closerange(0, 3)
        while True:
            signal.pause()
