# tries: to make an interface, an address, a route
# ends: completed
# within: 3
# prints: \[\] \['lo'\]\n
import fcntl
import os
import socket
import struct

done = []
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    for request in (0x8914, 0x8916, 0x890B, 0x89A0, 0x8922, 0x400454CA):
        try:
            fcntl.ioctl(sock, request, struct.pack("16s240s", b"lo", b"\x02\x00\x00\x00\x0a\x00\x00\x01"))
            done.append(hex(request))
        except OSError:
            pass
print(done, os.listdir("/sys/class/net"))
