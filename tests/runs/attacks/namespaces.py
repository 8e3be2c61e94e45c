# tries: to be root in a namespace of its own
# ends: completed
# within: 3
# prints: set\(\)\n
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
clone = 220 if os.uname().machine == "aarch64" else 56
flags = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x80)
done = {hex(flag) for flag in flags if libc.unshare(flag | 0x10000000) == 0}
for flag in flags[:-1]:
    pid = libc.syscall(clone, flag | 0x10000000 | 17, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    if pid > 0:
        done.add(f"clone {flag:x}")
arguments = (ctypes.c_uint64 * 11)(0x10000000)
pid = libc.syscall(435, arguments, ctypes.sizeof(arguments))
if pid == 0:
    os._exit(0)
if pid > 0:
    done.add("clone3")
for name in os.listdir("/proc/self/ns"):
    if libc.setns(os.open(f"/proc/self/ns/{name}", os.O_RDONLY), 0) == 0:
        done.add(name)
print(done)
