# tries: to take the launcher's descriptors
# ends: completed
# within: 3
# prints: \[\]\n
import ctypes
import os

libc = ctypes.CDLL(None)
pidfd = os.pidfd_open(1)
print([fd for fd in range(64) if libc.syscall(438, pidfd, fd, 0) >= 0])
