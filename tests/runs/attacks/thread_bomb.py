# tries: to start threads without end
# ends: completed
# within: 3.5
# prints: 6[0-9]\n
import threading

stop = threading.Event()
count = 0
try:
    while True:
        threading.Thread(target=stop.wait, daemon=True).start()
        count += 1
except RuntimeError:
    print(count)
