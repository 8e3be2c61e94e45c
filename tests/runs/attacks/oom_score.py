# tries: to let the kernel kill others in its place: below 0 it never gets, below its 500 only where the engine itself has no
# CAP_SYS_RESOURCE, which every engine has on a machine of its own
# ends: completed
# within: 3
# prints: \[13, (13|0)\]\n
def attempt(path, value):
    try:
        with open(path, "w") as file:
            file.write(value)
        return 0
    except OSError as error:
        return error.errno


print([attempt("/proc/self/oom_score_adj", "-1000"), attempt("/proc/self/oom_score_adj", "0")])
