# tries: to use the signals that mean something to the launcher
# ends: signal
# within: 3.5
import os
import signal

while True:
    for number in (signal.SIGALRM, signal.SIGUSR2, signal.SIGCHLD, signal.SIGPIPE, signal.SIGUSR1):
        os.kill(1, number)
