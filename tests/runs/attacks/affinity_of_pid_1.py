# tries: to put the launcher on a CPU that is busy
# ends: exit_code
# within: 3.5
import os

cpu = min(os.sched_getaffinity(0))
for pid in (0, 1):
    os.sched_setaffinity(pid, {cpu})
for _ in range(9):
    if os.fork() == 0:
        while True:
            pass
os._exit(3)
