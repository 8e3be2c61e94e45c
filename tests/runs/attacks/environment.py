# tries: to learn something of the host or the service from its environment
# ends: completed
# within: 3
# prints: HOME HOSTNAME LANG PATH TERM USER sandbox nameserver 192.0.2.1 \[\]\n
import os
import platform

resolv = [line for line in open("/etc/resolv.conf").read().split("\n") if line.startswith(("nameserver", "search"))]
hosts = [line for line in open("/etc/hosts") if not line.startswith(("127.0.0.1", "::1", "fe00::", "ff00::", "ff02::")) and line.strip()]
print(*sorted(os.environ), platform.node(), *(resolv or []), hosts)
