# tries: to be stopped for ever
# ends: wall_time
# within: 4
import os
import signal

os.kill(os.getpid(), signal.SIGSTOP)
