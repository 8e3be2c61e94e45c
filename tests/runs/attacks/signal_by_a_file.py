# tries: to let the kernel signal the launcher whenever a pipe can be read
# ends: exit_code
# within: 3.5
import fcntl
import os
import signal

for stream in (0, 1, 2):
    try:
        fcntl.fcntl(stream, fcntl.F_SETOWN, 1)
        fcntl.fcntl(stream, 10, signal.SIGALRM)  # F_SETSIG
        fcntl.fcntl(stream, fcntl.F_SETFL, fcntl.fcntl(stream, fcntl.F_GETFL) | os.O_ASYNC)
    except OSError:
        pass
os.write(1, b"x")
raise SystemExit(3)
