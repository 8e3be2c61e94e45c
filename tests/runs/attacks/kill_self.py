# tries: to look as if the service had killed it
# ends: signal
# within: 3
import os
import signal

os.kill(os.getpid(), signal.SIGKILL)
