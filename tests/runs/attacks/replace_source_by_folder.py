# tries: the same, with a folder that cannot be entered
# inputs: 1, 2, 3
# ends: completed
# within: 4
# prints: me\n
import os

print("me")
os.unlink("main.py")
os.makedirs("main.py/main.py/main.py")
os.chmod("main.py/main.py", 0)
os.chmod("main.py", 0)
