# tries: to keep bytes in attributes, which no bound counts
# ends: completed
# within: 3
# prints: 1\n
import os

try:
    os.setxattr("main.py", "user.x", b"x" * 60000)
    print(0)
except OSError as error:
    print(error.errno)
