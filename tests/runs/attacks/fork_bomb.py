# tries: to take every process id of the host
# ends: wall_time
# within: 4.5
import os

while True:
    try:
        os.fork()
    except OSError:
        pass
