# tries: the same through stderr
# ends: output_limit
# within: 3.5
import os

while True:
    os.write(2, b"x" * 65536)
