# tries: to have another uid, gid or group, a capability, or a file that gives one
# ends: completed
# within: 4
# prints: \[\] \[\] 0000000000000000\n
import ctypes
import os
import stat

done = []
for name, arguments in {
    "setuid": (0,), "setgid": (0,), "setreuid": (0, 0), "setregid": (0, 0), "setresuid": (0, 0, 0), "setgroups": ([0],),
}.items():
    try:
        getattr(os, name)(*arguments)
        done.append(name)
    except OSError:
        pass
header, wanted = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
if ctypes.CDLL(None).capset(header, wanted) == 0:
    done.append("capset")
special = [
    os.path.join(folder, name)
    for root in ("/usr", "/etc", "/var", "/opt", "/home", "/root", "/srv")
    for folder, _, names in os.walk(root)
    for name in names
    if os.lstat(os.path.join(folder, name)).st_mode & (stat.S_ISUID | stat.S_ISGID)
]
status = dict(line.split(":\t", 1) for line in open("/proc/self/status"))
print(done, special, status["CapBnd"].strip())
