"""What every interpreter does before its program. In the place of Debian's: that installs a crash reporter."""

import os
import sys

# stdout is a pipe, and is written as a terminal's would be: a line is there at once, and is one write. Not by
# PYTHONUNBUFFERED: that writes a line in two pieces, which another thread's or process's can come between.
if sys.stdout is not None:  # None: closed by whoever started this interpreter
    sys.stdout.reconfigure(line_buffering=True)

# matplotlib wants a folder of its own to write in; the list of fonts that it keeps there is made with the image.
_OWN = os.path.expanduser("~/.cache/matplotlib")
_MADE = "/usr/lib/runner/matplotlib"
try:
    os.makedirs(_OWN, exist_ok=True)
    for _name in os.listdir(_MADE):
        if not os.path.lexists(f"{_OWN}/{_name}"):
            os.symlink(f"{_MADE}/{_name}", f"{_OWN}/{_name}")
except OSError:
    pass  # it makes its own list then
