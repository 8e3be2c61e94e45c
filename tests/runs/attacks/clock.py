# tries: to change the time, or to look as if it had taken none
# ends: wall_time
# within: 4
# prints: \[\]\n
import ctypes
import os
import time

done = []
for call in (
    lambda: time.clock_settime(time.CLOCK_REALTIME, 0), lambda: os.open("/dev/rtc0", os.O_RDWR),
    lambda: os.write(os.open("/proc/self/timens_offsets", os.O_WRONLY), b"monotonic -99999 0"),
):
    try:
        if call() is not None:
            done.append(1)
    except OSError:
        pass
if ctypes.CDLL(None).clock_adjtime(0, ctypes.create_string_buffer(b"\1" * 208)) >= 0:
    done.append("adjtime")
print(done, flush=True)
time.time = time.monotonic = lambda: 0
time.sleep(60)
