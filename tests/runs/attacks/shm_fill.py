# tries: to fill /dev/shm with bytes, and with files
# ends: completed
# within: 3.5
# prints: 28 28 True\n
import os


def fill(names, data):
    try:
        for name in names:
            with open(f"/dev/shm/{name}", "wb") as file:
                file.write(data)
    except OSError as error:
        return error.errno


first = fill(["big"], bytes(17 << 20))
os.unlink("/dev/shm/big")
print(first, fill(map(str, range(100)), b""), len(os.listdir("/dev/shm")) <= 64)
