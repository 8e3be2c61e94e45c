# tries: to see processes of the host or of other programs
# ends: completed
# within: 3
# prints: \['/usr/lib/runner/launch', 'python3'\]\n
import os

seen = [open(f"/proc/{pid}/cmdline").read().split("\0") for pid in os.listdir("/proc") if pid.isdecimal()]
print(sorted({word for words in seen for word in words if word.endswith("launch") or word == "python3"}))
assert len(seen) == 2, seen
