# tries: to write to any file of /sys, or to read what it should not
# ends: completed
# within: 4.5
# prints: \[\]\n
import os

print([
    path
    for root in ("/sys/kernel", "/sys/module", "/sys/power", "/sys/firmware", "/sys/fs", "/sys/class", "/sys/bus")
    for folder, _, names in os.walk(root)
    for name in names
    if os.access(path := os.path.join(folder, name), os.W_OK)
][:9])
