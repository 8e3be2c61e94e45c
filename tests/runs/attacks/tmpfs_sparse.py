# tries: to make one file larger than the file system
# ends: completed
# within: 3.5
# prints: 27 27\n
import os

file = os.open("sparse", os.O_CREAT | os.O_RDWR)


def attempt(call, *arguments):
    try:
        return call(*arguments)
    except OSError as error:
        return error.errno


print(attempt(os.ftruncate, file, 1 << 62), attempt(os.pwrite, file, b"x", 1 << 40))
