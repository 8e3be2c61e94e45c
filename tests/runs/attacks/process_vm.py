# tries: to read and write the memory of the launcher, and of its own child
# ends: completed
# within: 3
# prints: \[-1, -1, -1, -1\]\n
import ctypes
import os
import time

libc = ctypes.CDLL(None)
block = ctypes.create_string_buffer(b"x" * 8)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(block), 8)
child = os.fork()
if child == 0:
    time.sleep(60)
print([call(pid, vector, 1, vector, 1, 0) for pid in (1, child) for call in (libc.process_vm_readv, libc.process_vm_writev)])
