# tries: to reach the internet and a cloud's metadata service; not where there is a route, which would be the finding
# ends: completed
# within: 3.5
# prints: \[101, 101, 101, 101, (99|101)\]\n
import socket

assert len(open("/proc/net/route").readlines()) == 1
found = []
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    for address in ("8.8.8.8", "169.254.169.254"):
        with socket.socket(socket.AF_INET, kind) as connection:
            connection.settimeout(0.2)
            found.append(connection.connect_ex((address, 80)))
with socket.socket(socket.AF_INET6) as connection:
    connection.settimeout(0.2)
    found.append(connection.connect_ex(("2001:db8::1", 80)))
print(found)
