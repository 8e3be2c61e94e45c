# tries: to be taken for a launcher
# ends: exit_code
# within: 3
import sys

for stream in (sys.stdout, sys.stderr):
    stream.write("launch: ready\n" * 9)
sys.exit(3)
