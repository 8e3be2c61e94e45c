# tries: to take memory in many processes, none of which is large
# ends: out_of_memory, completed
# within: 4.5
import os
import time

for _ in range(50):
    if os.fork() == 0:
        block = bytearray(8 << 20)
        time.sleep(60)
time.sleep(0.3)
