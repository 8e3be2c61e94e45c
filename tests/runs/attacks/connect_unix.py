# tries: to reach the engine, or any socket of the host
# ends: completed
# within: 3
# prints: \[\] 1\n
import socket

found = []
for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "\0/containerd-shim", "\0/tmp/.X11-unix/X0"):
    with socket.socket(socket.AF_UNIX) as connection:
        if connection.connect_ex(path) == 0:
            found.append(path)
print(found, len(open("/proc/net/unix").readlines()))
