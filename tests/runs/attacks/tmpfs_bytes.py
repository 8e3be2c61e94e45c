# tries: to fill the disk
# ends: completed
# within: 4
# prints: 28\n
try:
    for number in range(99):
        with open(f"file{number}", "wb") as file:
            for _ in range(32):
                file.write(bytes(1 << 20))
except OSError as error:
    print(error.errno)
