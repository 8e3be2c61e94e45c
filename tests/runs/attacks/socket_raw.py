# tries: to send packets of its own making
# ends: completed
# within: 3
# prints: \[\]\n
import socket

done = []
for family, protocol in ((socket.AF_INET, 1), (socket.AF_INET, 255), (socket.AF_INET6, 58), (socket.AF_PACKET, 768)):
    try:
        done.append(socket.socket(family, socket.SOCK_RAW, protocol))
    except OSError:
        pass
print(done)
