# tries: to lock memory that the kernel could not take back
# ends: out_of_memory, completed
# within: 4.5
import ctypes

print(ctypes.CDLL(None).mlockall(7))
blocks = []
try:
    while True:
        blocks.append(bytearray(1 << 20))
except MemoryError:
    pass
