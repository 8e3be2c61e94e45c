# tries: to make names without end for one file, and symlinks with long targets
# ends: completed
# within: 4.5
# prints: 28 28\n
import os

open("file", "w").close()


def endless(make):
    count = 0
    try:
        while count < 100000:
            make(count)
            count += 1
    except OSError as error:
        return error.errno


print(endless(lambda n: os.link("file", f"link{n}")), endless(lambda n: os.symlink("x" * 4000, f"soft{n}")))
