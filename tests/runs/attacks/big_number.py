# tries: to keep the interpreter in one C call, where no Python signal handler runs
# ends: wall_time, out_of_memory
# within: 4.5
print(len(str(9**9**9)))
