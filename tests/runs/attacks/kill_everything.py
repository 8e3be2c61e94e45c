# tries: to kill all processes that it may
# ends: completed
# within: 3
# prints: alive\n
import os
import signal

for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, signal.SIGHUP):
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        pass
print("alive")
