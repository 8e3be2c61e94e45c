# tries: to leave a daemon that is always a new process, so that a kill misses it
# ends: completed
# within: 4
import os
import time

if os.fork() == 0:
    os.setsid()
    while True:
        if os.fork() != 0:
            os._exit(0)
time.sleep(0.1)
