# tries: to find a folder, beside those that it has, in which it may write
# ends: completed
# within: 4.5
# prints: \['/dev/shm', '/tmp', '/tmp/results'\]\n
import os

print(sorted({
    folder
    for folder, folders, _ in os.walk("/")
    if not folder.startswith(("/proc", "/sys")) and os.access(folder, os.W_OK)
}))
