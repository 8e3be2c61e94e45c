# tries: to leave a file on the host, by paths that lead out
# ends: completed
# within: 3
# absent: /tmp/code-runner-escape, /code-runner-escape, /root/code-runner-escape, /dev/shm/code-runner-escape
import os

os.symlink("/proc/1/root/tmp", "link")
for folder in ("/tmp", "/tmp/../..", "/proc/1/root/tmp", "/proc/1/cwd", "link", "/root", "/dev/shm", "/proc/self/cwd/../.."):
    try:
        open(os.path.join(folder, "code-runner-escape"), "w").close()
    except OSError:
        pass
