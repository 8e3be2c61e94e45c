# tries: to find the launcher's secret: in its environment, arguments, descriptors, files, and in its own memory
# ends: completed
# within: 4
# prints: \[\]\n
import os
import re

found = []
for pid in (1, os.getpid(), os.getppid()):
    for name in ("cmdline", "environ", "comm", "status", "stat", "wchan", "syscall"):
        try:
            found += re.findall(rb"[0-9a-f]{32}", open(f"/proc/{pid}/{name}", "rb").read().replace(b"0" * 16, b""))
        except OSError:
            pass
mark = b" " + b"run" + b" status" + b"="
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        area, mode, *rest = line.split()
        begin, end = (int(number, 16) for number in area.split("-"))
        if "r" in mode and "w" in mode and end - begin < 64 << 20:
            memory.seek(begin)
            found += re.findall(rb"[0-9a-f]{32} \d{1,6} +\d", memory.read(end - begin))
print(found)
