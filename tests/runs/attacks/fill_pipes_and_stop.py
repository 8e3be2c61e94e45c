# tries: to fill the pipes with processes that hold them and are stopped
# ends: exit_code, output_limit
# within: 3.5
import os
import signal

for _ in range(9):
    if os.fork() == 0:
        os.setsid()
        os.write(1, b"x" * 6000)
        os.kill(os.getpid(), signal.SIGSTOP)
os.write(2, b"y" * 60000)
os._exit(3)
