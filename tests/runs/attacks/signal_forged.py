# tries: to tell the launcher that its child has ended
# ends: completed
# within: 3.5
# prints: alive\n
import ctypes
import os
import signal
import time

info = (ctypes.c_int * 32)(signal.SIGCHLD, 0, 1, 0, 2)
ctypes.CDLL(None).syscall(138 if os.uname().machine == "aarch64" else 129, 1, int(signal.SIGCHLD), info)
time.sleep(0.2)
print("alive")
