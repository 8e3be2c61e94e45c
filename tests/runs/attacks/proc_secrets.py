# tries: to read what the kernel knows of the host's memory
# ends: completed
# within: 3
# prints: \{\}\n
import re

found = {}
for path in ("kcore", "kmsg", "keys", "timer_list", "sched_debug", "kpagecount", "kpageflags", "vmallocinfo", "slabinfo", "kallsyms", "iomem"):
    try:
        with open(f"/proc/{path}", "rb") as file:
            text = file.read(4096).decode(errors="replace")
    except OSError:
        continue
    if re.search(r"[1-9a-f]", " ".join(line.split()[0] for line in text.splitlines() if line.split())):
        found[path] = text[:60]
print(found)
