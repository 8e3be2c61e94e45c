"""What every interpreter does before its program. In the place of Debian's: that installs a crash reporter."""

import sys

# stdout is a pipe, and is written as a terminal's would be: a line is there at once, and is one write. Not by
# PYTHONUNBUFFERED: that writes a line in two pieces, which another thread's or process's can come between.
if sys.stdout is not None:  # None: closed by whoever started this interpreter
    sys.stdout.reconfigure(line_buffering=True)
