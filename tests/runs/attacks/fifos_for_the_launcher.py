# tries: to make the launcher wait for ever: FIFOs where it puts its files
# inputs: 1, 2, 3
# ends: completed
# within: 4
# prints: me\n
import os

print("me")
os.unlink("main.py")
for name in (".input", ".source", "main.py", "main"):
    os.mkfifo(name)
