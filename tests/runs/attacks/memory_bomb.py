# tries: to take all memory
# ends: out_of_memory
# within: 4
blocks = []
while True:
    blocks.append(bytearray(1 << 20))
