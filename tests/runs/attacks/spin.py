# tries: to take all CPUs
# ends: wall_time
# within: 4.5
import os

for _ in range(5):
    os.fork()
while True:
    pass
