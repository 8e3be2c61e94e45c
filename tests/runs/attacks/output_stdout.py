# tries: to fill the server's memory with output
# ends: output_limit
# within: 3.5
import os

while True:
    os.write(1, b"x" * 65536)
