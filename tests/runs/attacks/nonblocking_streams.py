# tries: to cut the launcher's words: streams that never wait, are packets, or hold one page
# ends: exit_code, output_limit
# within: 3.5
import fcntl
import os

for stream in (1, 2):
    for change in (lambda: fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, 4096), lambda: fcntl.fcntl(stream, fcntl.F_SETFL, os.O_NONBLOCK | os.O_DIRECT)):
        try:
            change()
        except OSError:
            pass
try:
    for _ in range(16):
        os.write(1, b"x" * 4096)
        os.write(2, b"y" * 4096)
except BlockingIOError:
    pass
os._exit(3)
