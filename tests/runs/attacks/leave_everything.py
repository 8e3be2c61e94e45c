# tries: to leave files, processes and shared memory for the next run
# inputs: 1, 2, 3
# ends: completed
# within: 4
# prints: \['main.py', 'results'\] \[\] 2 \[1, 1, 1\]\n
import ctypes
import os
import time

print(
    os.listdir("/tmp"), os.listdir("/dev/shm"), len([name for name in os.listdir("/proc") if name.isdecimal()]),
    [len(open(f"/proc/sysvipc/{kind}").readlines()) for kind in ("shm", "sem", "msg")], flush=True,
)
libc = ctypes.CDLL(None)
libc.shmget(7, 4096, 0o1666), libc.semget(7, 1, 0o1666), libc.msgget(7, 0o1666)
for folder in ("/tmp", "/dev/shm"):
    open(f"{folder}/left", "w").close()
if os.fork() == 0:
    os.setsid()
    time.sleep(60)
time.sleep(0.05)
