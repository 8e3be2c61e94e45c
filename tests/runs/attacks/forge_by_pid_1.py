# tries: to write the verdict to the launcher's own streams
# ends: exit_code
# within: 3
# prints: \[\]\n
import os

done = []
for path in ("/proc/1/fd/1", "/proc/1/fd/2", "/proc/1/fd/0", "/proc/1/task/1/fd/1", "/dev/console", "/dev/tty"):
    try:
        done.append(os.write(os.open(path, os.O_WRONLY | os.O_NONBLOCK), b"0" * 32 + b" run status=0\n"))
    except OSError:
        pass
print(done, flush=True)
os._exit(3)
