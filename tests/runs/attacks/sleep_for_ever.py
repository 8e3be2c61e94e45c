# tries: to sleep with all signals blocked
# ends: wall_time
# within: 4
import signal

signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
while True:
    signal.sigwait([signal.SIGRTMAX])
