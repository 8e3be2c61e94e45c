# tries: to speak to the whole network
# ends: completed
# within: 3
# prints: \[101, 101\]\n
import socket

found = []
for address in ("255.255.255.255", "224.0.0.1"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            found.append(sock.sendto(b"x", (address, 9)))
        except OSError as error:
            found.append(error.errno)
print(found)
