# tries: the calls through which kernels are broken into
# ends: completed
# within: 3
# prints: \{\}\n
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
block = ctypes.create_string_buffer(4096)
doors = {
    "bpf": (321, 0, block, 120),
    "perf_event_open": (298, block, 0, -1, -1, 0),
    "io_uring_setup": (425, 8, block),
    "userfaultfd": (323, 1),
    "memfd_create": (319, b"x", 0),
    "memfd_secret": (447, 0),
    "fanotify_init": (300, 0, 0),
    "landlock": (444, 0, 0, 1),
    "seccomp listener": (317, 1, 8, block),
    "kcmp": (312, 1, 1, 0, 0, 0),
    "vmsplice": (278, 1, block, 1, 0),
    "io_setup": (206, 64, block),
    "modify_ldt": (154, 0, block, 8),
    "name_to_handle_at": (303, -100, b"/", block, block, 0),
    "add module": (175, block, 8, b""),
    "kexec_load": (246, 0, 0, 0, 0),
    "reboot": (169, 0xFEE1DEAD, 672274793, 0, 0),
    "syslog": (103, 3, block, 4096),
}
done = {}
for name, arguments in doors.items():
    if (result := libc.syscall(*arguments)) >= 0:
        done[name] = result
print(done)
