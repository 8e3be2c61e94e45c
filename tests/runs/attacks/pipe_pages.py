# tries: to write to a file of the image through a pipe's pages
# ends: completed
# within: 3
# prints: 1 True\n
import os

before = open("/etc/passwd", "rb").read()
file, (reader, writer) = os.open("/etc/passwd", os.O_RDONLY), os.pipe()
for _ in range(16):
    os.write(writer, bytes(4096))
os.read(reader, 65536)
try:
    os.splice(file, writer, 1, offset_src=0)
    os.write(writer, b"owned")
    print(0, end=" ")
except OSError as error:
    print(error.errno, end=" ")
print(open("/etc/passwd", "rb").read() == before)
