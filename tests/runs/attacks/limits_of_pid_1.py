# tries: to take the launcher's limits away, or its priority
# ends: completed
# within: 3
# prints: \[\]\n
import os
import resource

done = []
for name in [name for name in dir(resource) if name.startswith("RLIMIT_")]:
    try:
        resource.prlimit(1, getattr(resource, name), (0, 0))
        done.append(name)
    except (OSError, ValueError):
        pass
for which, who in ((os.PRIO_PROCESS, 1), (os.PRIO_PGRP, 0), (os.PRIO_PGRP, 1), (os.PRIO_USER, 0), (os.PRIO_USER, os.getuid())):
    try:
        os.setpriority(which, who, 19)
        done.append(which)
    except OSError:
        pass
try:
    os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))
    done.append("idle")
except OSError:
    pass
print(done)
