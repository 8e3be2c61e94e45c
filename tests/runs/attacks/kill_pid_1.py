# tries: to kill or stop the launcher
# ends: completed
# within: 3
# prints: alive\n
import os
import signal

for number in set(range(1, 65)) - {signal.SIGUSR1, signal.SIGUSR2, 32, 33}:
    os.kill(1, number)
    os.system(f"kill -{number} 1")
print("alive")
