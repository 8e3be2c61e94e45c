# tries: to reach the kernel through rare kinds of sockets
# ends: completed
# within: 3
# prints: \[1, 2(, 10)?\]\n
import socket


def opens(family, kind):
    try:
        socket.socket(family, kind).close()
        return True
    except OSError:
        return False


print([family for family in range(64) if any(opens(family, kind) for kind in range(1, 11))])
