# tries: the same from many processes that outlive the first
# ends: output_limit, completed
# within: 3.5
import os

for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        while True:
            os.write(1, b"x" * 65536)
            os.write(2, b"x" * 65536)
