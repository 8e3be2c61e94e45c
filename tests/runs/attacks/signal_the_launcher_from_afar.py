# tries: the same from a process that is killed last, in several runs
# inputs: 1, 2, 3
# ends: wall_time
# within: 9
import os
import signal

if os.fork() == 0:
    os.setsid()
    while True:
        os.kill(1, signal.SIGUSR1)
        os.kill(1, signal.SIGUSR2)
while True:
    pass
