# tries: to make a core file, or to have the host's core handler run
# ends: signal
# within: 3
# prints: ValueError\n
# unchanged: /proc/sys/kernel/core_pattern
import os
import resource

try:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
except (ValueError, OSError) as error:
    print(type(error).__name__, flush=True)
os.abort()
