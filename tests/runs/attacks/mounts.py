# tries: to mount, unmount, move and change the root
# ends: completed
# within: 3
# prints: \[1, 1, 1, 1, 1, 1, 1, 1\]\n
import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    ctypes.set_errno(0)
    getattr(libc, name)(*arguments)
    return ctypes.get_errno()


print([
    call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    call("mount", b"/proc/1/root", b"/tmp", None, 4096, None),
    call("mount", None, b"/", None, 32 | 4096, None),
    call("umount2", b"/proc", 2),
    call("pivot_root", b"/tmp", b"/tmp"),
    call("chroot", b"/tmp"),
    call("fsopen", b"tmpfs", 0),
    call("open_tree", -100, b"/", 1),
])
