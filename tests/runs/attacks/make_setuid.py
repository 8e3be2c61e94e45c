# tries: to make a setuid file that gives its owner's rights, and a device
# ends: completed
# within: 3
# prints: nosuid \[1, 1\]\n
import os
import stat

open("file", "w").close()
os.chmod("file", 0o6755)
found = []
for kind, device in ((stat.S_IFCHR, (1, 1)), (stat.S_IFBLK, (8, 0))):
    try:
        os.mknod("device", kind | 0o666, os.makedev(*device))
        found.append(0)
    except OSError as error:
        found.append(error.errno)
print("nosuid" if os.statvfs(".").f_flag & os.ST_NOSUID else "suid", found)
