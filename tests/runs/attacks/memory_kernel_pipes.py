# tries: to make the kernel hold memory in pipes
# ends: completed, out_of_memory, exit_code
# within: 4.5
import fcntl
import os

while True:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20)
    except PermissionError:
        pass
    os.write(writer, bytes(1 << 20))
