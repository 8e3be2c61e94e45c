# tries: to make the launcher write where it should not: links where it puts its files
# inputs: 1, 2, 3
# ends: completed
# within: 4
# prints: me\n
import os

print("me")
for name, target in ((".input", "/proc/self/fd/1"), (".source", "/dev/shm/x"), ("main", "/dev/full"), ("x", "x")):
    os.symlink(target, name)
os.link("main.py", ".hard")
