# tries: to make the launcher's clearing slow, or to leave it no room
# inputs: 1, 2, 3
# ends: completed
# within: 5
# prints: \['main.py', 'results'\]\n
import os

print(os.listdir("."))
try:
    for number in range(1900):
        os.mkdir("d" * 100 + str(number))
    open("big", "wb").write(bytes(60 << 20))
except OSError:
    pass
