# tries: to make files without end
# ends: completed
# within: 4.5
# prints: 28 True\n
count = 0
try:
    while True:
        open(str(count), "w").close()
        count += 1
except OSError as error:
    print(error.errno, count < 2048)
