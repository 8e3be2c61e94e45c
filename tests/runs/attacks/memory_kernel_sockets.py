# tries: to make the kernel hold memory in socket buffers, and open files in flight between sockets
# ends: completed, out_of_memory, exit_code
# within: 4.5
import socket

kept = []
for _ in range(100):
    left, right = socket.socketpair()
    left.setblocking(False)
    left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
    kept += [left, right]
    try:
        while True:
            socket.send_fds(left, [b"x" * 4096], [right.fileno()])
    except OSError:
        pass
