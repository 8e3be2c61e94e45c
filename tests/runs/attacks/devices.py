# tries: to open devices of the host
# ends: completed
# within: 3
# prints: \[\]\n
import os
import stat

known = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "fd", "stdin", "stdout", "stderr", "shm", "mqueue", "core"}
found = sorted(set(os.listdir("/dev")) - known)
for name in ("mem", "kmem", "port", "kmsg", "sda", "vda", "nvme0n1", "kvm", "fuse", "vsock", "vhost-vsock", "net/tun", "userfaultfd", "loop-control", "mapper/control", "cpu/0/msr", "rtc0"):
    try:
        found.append(os.open(f"/dev/{name}", os.O_RDONLY))
    except OSError:
        pass
found += [name for name in os.listdir("/dev") if stat.S_ISBLK(os.stat(f"/dev/{name}").st_mode)] if not found else []
print(found)
