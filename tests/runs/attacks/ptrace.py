# tries: to trace the launcher, and its own child
# ends: completed
# within: 3
# prints: \[-1, -1, -1, -1\]\n
import ctypes
import os
import time

libc = ctypes.CDLL(None)
child = os.fork()
if child == 0:
    time.sleep(60)
print([libc.ptrace(request, pid, 0, 0) for pid in (1, child) for request in (16, 0x4206)])
