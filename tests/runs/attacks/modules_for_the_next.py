# tries: to have the next run's interpreter load its module
# inputs: 1, 2, 3
# ends: completed
# within: 4
# prints: me\n
import os
import random

assert random.random() < 1
print("me")
for name in ("sitecustomize.py", "usercustomize.py", "random.py", "encodings.py", "os.py", "python3", ".pythonrc"):
    open(name, "w").write("print('hijacked')")
os.makedirs(".local/lib/python3.13/site-packages")
open(".local/lib/python3.13/site-packages/x.pth", "w").write("import os; print('hijacked')")
