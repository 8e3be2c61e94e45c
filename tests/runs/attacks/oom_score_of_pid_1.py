# tries: to let the kernel kill the launcher in its place
# ends: out_of_memory
# within: 4
try:
    with open("/proc/1/oom_score_adj", "w") as file:
        file.write("1000")
except OSError:
    pass
blocks = []
while True:
    blocks.append(bytearray(1 << 20))
