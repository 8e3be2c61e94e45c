# tries: to keep the launcher from telling, by closing and shutting its streams
# ends: exit_code
# within: 3
import os
import socket

for stream in range(3):
    try:
        socket.socket(fileno=os.dup(stream)).shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
os.closerange(0, 64)
os._exit(3)
