# tries: to fill the kernel with message queues
# ends: completed
# within: 3.5
# prints: 13 1\n
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
try:
    open("/dev/mqueue/queue", "w")
except OSError as error:
    print(error.errno, end=" ")
libc.mq_open(b"/queue", 0o102, 0o600, None)
print(ctypes.get_errno())
