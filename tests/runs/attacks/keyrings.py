# tries: to read keys of the host, and to leave some
# ends: completed
# within: 3
# prints: \[-1, -1, -1\] \[\]\n
import ctypes
import os

libc = ctypes.CDLL(None)
calls = [libc.syscall(250, 0, -3, 1), libc.syscall(248, b"user", b"name", b"text", 4, -5), libc.syscall(249, b"user", b"name", None, -5)]
listed = open("/proc/keys").readlines() if os.access("/proc/keys", os.R_OK) else []
print(calls, listed)
