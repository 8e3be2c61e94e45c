# tries: a byte order mark
# ends: completed
# within: 3
# prints: é\n
print("é")
