# tries: to nest folders deeper than a path is long
# inputs: 1, 2
# ends: completed
# within: 4
# prints: \['main.py', 'results'\]\n
import errno
import os

print(os.listdir("."))
try:
    for _ in range(1900):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
except OSError as error:
    if error.errno != errno.ENAMETOOLONG:  # AppArmor refuses what it cannot name
        raise
