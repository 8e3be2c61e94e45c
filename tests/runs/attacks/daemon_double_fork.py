# tries: to leave a daemon behind
# ends: completed
# within: 3
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
