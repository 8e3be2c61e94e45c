# tries: to nest folders deeper than a path is long
# inputs: 1, 2
# ends: completed
# within: 4
# prints: \['main.py', 'results'\]\n
import os

print(os.listdir("."))
for _ in range(1900):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
