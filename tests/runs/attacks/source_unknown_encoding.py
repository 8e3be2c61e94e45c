# coding: rot-13-and-a-half
# tries: an encoding that does not exist
# ends: exit_code
# within: 3
# never: /tmp
print(1)
