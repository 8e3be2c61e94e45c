# tries: to reach what listens on the host's loopback address
# ends: completed
# within: 3.5
# prints: \[\]\n
import socket

found = []
for port in (22, 25, 53, 80, 443, 2375, 2376, 3000, 5000, 6379, 8000, 8080, 9323):
    with socket.socket() as connection:
        connection.settimeout(0.1)
        if connection.connect_ex(("127.0.0.1", port)) == 0:
            found.append(port)
print(found)
