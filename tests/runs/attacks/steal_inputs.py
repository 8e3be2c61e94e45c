# tries: to read the inputs of other runs
# inputs: first, second, third
# ends: completed
# within: 4
# prints: (first|second|third) \[\]\n
import os
import sys

mine = sys.stdin.read()
found = []
for path in ["/proc/1/fd/0", "/dev/stdin"] + [f"/proc/self/fd/{fd}" for fd in range(3, 30)]:
    try:
        text = os.read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 4096)
        if text.strip() and mine.encode() not in text and b"steal" not in text:
            found.append((path, text))
    except OSError:
        pass
for fd in range(3, 30):
    try:
        found.append((fd, os.read(fd, 4096))) if os.get_inheritable(fd) else None
    except OSError:
        pass
print(mine, [pair for pair in found if pair[1]])
