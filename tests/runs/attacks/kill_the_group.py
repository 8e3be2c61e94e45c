# tries: to kill the launcher with its process group
# ends: signal
# within: 3
import os

os.killpg(0, 9)
