# tries: to use signals that might mean something to the launcher
# ends: wall_time
# within: 3.5
import os
import signal

while True:
    for number in (signal.SIGALRM, signal.SIGUSR2, signal.SIGCHLD, signal.SIGPIPE, signal.SIGUSR1):
        os.kill(1, number)
