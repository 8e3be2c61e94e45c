# tries: to mount, unmount, move and change the root
# ends: completed
# within: 3
# prints: \[1, 1, 1, 1, 1, 1, 1, 1\]\n
import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def call(*arguments):
    ctypes.set_errno(0)
    libc.syscall(*arguments)
    return ctypes.get_errno()


print([
    call(165, b"none", b"/tmp", b"tmpfs", 0, None),
    call(165, b"/proc/1/root", b"/tmp", None, 4096, None),
    call(165, None, b"/", None, 32 | 4096, None),
    call(166, b"/proc", 2),
    call(155, b"/tmp", b"/tmp"),
    call(161, b"/tmp"),
    call(430, b"tmpfs", 0),
    call(428, -100, b"/", 1),
])
