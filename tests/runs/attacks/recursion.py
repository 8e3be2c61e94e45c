# tries: to overflow the stack
# ends: signal, exit_code, out_of_memory
# within: 4
import sys

sys.setrecursionlimit(1 << 30)


def down():
    down()


down()
