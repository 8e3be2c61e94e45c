# tries: to read keys of the host, and to leave some
# ends: completed
# within: 3
# prints: \[-1, -1, -1\] \[\]\n
import ctypes
import os

libc = ctypes.CDLL(None)
keyctl, add_key, request_key = (219, 217, 218) if os.uname().machine == "aarch64" else (250, 248, 249)
calls = [
    libc.syscall(keyctl, 0, -3, 1),
    libc.syscall(add_key, b"user", b"name", b"text", 4, -5),
    libc.syscall(request_key, b"user", b"name", None, -5),
]
listed = open("/proc/keys").readlines() if os.access("/proc/keys", os.R_OK) else []
print(calls, listed)
