# tries: to change the kernel's settings, and to ask it for a crash
# ends: completed
# within: 3
# prints: \[\]\n
# unchanged: /proc/sys/kernel/core_pattern, /proc/sys/kernel/hostname, /proc/sys/vm/overcommit_memory
import os

done = []
for path in (
    "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/sysrq", "/proc/sys/vm/drop_caches", "/proc/sys/vm/overcommit_memory", "/proc/irq/0/smp_affinity",
    "/proc/sys/fs/binfmt_misc/register", "/proc/sys/net/ipv4/ip_forward", "/proc/acpi/wakeup", "/proc/bus/pci/00",
    "/proc/fs/jbd2", "/proc/asound", "/proc/scsi", "/proc/mtrr", "/proc/1/setgroups", "/proc/1/uid_map",
):
    if os.path.isfile(path):
        try:
            os.close(os.open(path, os.O_WRONLY))
            done.append(path)
        except OSError:
            pass
print(done)
