# tries: to take the work folder away from the launcher
# inputs: 1, 2
# ends: completed
# within: 4
# prints: \[1, (1|16), (13|16|30)\]\n
import os


def attempt(call, *arguments):
    try:
        call(*arguments)
        return 0
    except OSError as error:
        return error.errno


print([attempt(os.chmod, "/tmp", 0), attempt(os.rename, "/tmp", "/tmq") and 1, attempt(os.rmdir, "/tmp")])
