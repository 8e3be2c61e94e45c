# tries: to confuse the launcher with names: newlines, options, bytes that are no text
# inputs: 1, 2
# ends: completed
# within: 4
# prints: \['main.py', 'results'\]\n
import os

print(os.listdir("."))
for name in (b"\n", b"-rf", b"*", b"|true", b">x", b"..x", b" ", b"\xff\xfe", b"x" * 255, b"$(id)", b"main.py ", b"..."):
    os.mkdir(name)
    open(os.path.join(name, name), "w").close()
