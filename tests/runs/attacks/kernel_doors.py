# tries: the calls through which kernels are broken into
# ends: completed
# within: 3
# prints: \{\}\n
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
block = ctypes.create_string_buffer(4096)
doors = {  # the call's number on x86_64, on aarch64 (-1: there is none), and arguments
    "bpf": (321, 280, 0, block, 120),
    "perf_event_open": (298, 241, block, 0, -1, -1, 0),
    "io_uring_setup": (425, 425, 8, block),
    "userfaultfd": (323, 282, 1),
    "memfd_create": (319, 279, b"x", 0),
    "memfd_secret": (447, 447, 0),
    "fanotify_init": (300, 262, 0, 0),
    "landlock": (444, 444, 0, 0, 1),
    "seccomp listener": (317, 277, 1, 8, block),
    "kcmp": (312, 272, 1, 1, 0, 0, 0),
    "vmsplice": (278, 75, 1, block, 1, 0),
    "io_setup": (206, 0, 64, block),
    "modify_ldt": (154, -1, 0, block, 8),
    "name_to_handle_at": (303, 264, -100, b"/", block, block, 0),
    "add module": (175, 105, block, 8, b""),
    "kexec_load": (246, 104, 0, 0, 0, 0),
    "reboot": (169, 142, 0xFEE1DEAD, 672274793, 0, 0),
    "syslog": (103, 116, 3, block, 4096),
}
done = {}
for name, (x86_64, aarch64, *arguments) in doors.items():
    if (result := libc.syscall(aarch64 if os.uname().machine == "aarch64" else x86_64, *arguments)) >= 0:
        done[name] = result
print(done)
