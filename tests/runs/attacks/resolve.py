# tries: to carry words out by DNS
# ends: completed
# within: 3.5
# prints: refused\n
import socket

try:
    print(socket.getaddrinfo("secret.example", 80))
except socket.gaierror:
    print("refused")
