# tries: the same with a new interpreter in each process
# ends: wall_time, out_of_memory
# within: 4.5
import subprocess
import sys

while True:
    try:
        subprocess.Popen([sys.executable, "main.py"])
    except OSError:
        pass
