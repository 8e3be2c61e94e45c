# tries: to open files without end, in many processes
# ends: completed
# within: 4.5
# prints: 24 True\n
import os

first = os.getpid()
for _ in range(5):
    os.fork()
files = []
try:
    while True:
        files.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    if os.getpid() == first:
        print(error.errno, len(files) < 256)
