# tries: to run machine code of its own, in spite of noexec: it may, and stays in the same cage
# ends: completed
# within: 3
# prints: \[13, 1\] -1\n
import ctypes
import mmap
import os

found = []
for call in (lambda: os.execv("/tmp/file", ["x"]), lambda: os.memfd_create("x")):
    try:
        open("/tmp/file", "w").write("#!/bin/sh\n")
        os.chmod("/tmp/file", 0o755)
        call()
    except OSError as error:
        found.append(error.errno)
# mount by its number; the call; return
codes = {"x86_64": b"\xb8\xa5\x00\x00\x00\x0f\x05\xc3", "aarch64": b"\x08\x05\x80\xd2\x01\x00\x00\xd4\xc0\x03\x5f\xd6"}
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(codes[os.uname().machine])
code = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
print(found, code(None, None))
