# tries: to reach into the launcher by its files
# ends: completed
# within: 3
# prints: \{\}\n
import os

done = {}
for name in ("mem", "environ", "maps", "smaps", "fd", "fdinfo", "root", "cwd", "exe", "auxv", "io", "map_files", "stack", "syscall", "pagemap", "ns/mnt", "task/1/fd", "personality"):
    path = f"/proc/1/{name}"
    try:
        done[name] = os.readlink(path) if os.path.islink(path) else os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(9)
    except OSError:
        pass
for name in ("mem", "clear_refs", "coredump_filter", "attr/current", "loginuid", "timerslack_ns"):
    try:
        done[f"write {name}"] = os.write(os.open(f"/proc/1/{name}", os.O_WRONLY), b"0")
    except OSError:
        pass
print(done)
