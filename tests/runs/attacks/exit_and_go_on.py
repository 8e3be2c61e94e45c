# tries: to end with success while a thread goes on
# ends: exit_code
# within: 3
import ctypes
import threading
import time

threading.Thread(target=lambda: time.sleep(60), daemon=True).start()
ctypes.CDLL(None)._exit(3)
