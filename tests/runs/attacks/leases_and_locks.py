# tries: to make the launcher wait for a lock or a lease
# inputs: 1, 2
# ends: completed
# within: 4
# prints: me\n
import fcntl
import os
import time

print("me", flush=True)
file = open("main.py", "r+")
fcntl.flock(file, fcntl.LOCK_EX)
if os.fork() == 0:
    os.setsid()
    fcntl.lockf(file, fcntl.LOCK_EX)
    lease = os.open("main.py", os.O_RDONLY)
    try:
        fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError:
        pass
    time.sleep(60)
time.sleep(0.1)
