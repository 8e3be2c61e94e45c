# tries: to write after the verdict
# ends: completed
# within: 3
# prints: (before\n)?
import os
import time

parent = os.getpid()
if os.fork() == 0:
    os.setsid()
    while os.getppid() == parent:
        time.sleep(0.01)
    time.sleep(0.2)
    while True:
        os.write(1, b"after\n")
os.write(1, b"before\n")
