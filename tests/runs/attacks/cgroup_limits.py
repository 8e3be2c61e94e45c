# tries: to raise its own limits
# ends: completed
# within: 3.5
# prints: \[\]\n
import os

done = []
for folder, folders, names in os.walk("/sys/fs/cgroup"):
    for name in names:
        try:
            os.close(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_NONBLOCK))
            done.append(os.path.join(folder, name))
        except OSError:
            pass
    try:
        os.mkdir(os.path.join(folder, "own"))
        done.append(folder)
    except OSError:
        pass
print(done)
