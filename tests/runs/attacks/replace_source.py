# tries: to give the next run another program
# inputs: 1, 2, 3
# ends: completed
# within: 4
# prints: me\n
import os

print("me")
os.unlink("main.py")
os.symlink("/etc/passwd", "main.py")
