# tries: to write the launcher's verdict, with secrets that it guesses
# ends: exit_code
# within: 3
# prints: (.*completed|.*status=0.*)
import secrets
import sys

for _ in range(100):
    nonce = secrets.token_hex(16)
    for step in ("run", "compile"):
        line = f"{nonce} {step} status=0 cpu=1 peak=1 oom=0\n"
        sys.stdout.write(line)
        sys.stderr.write(line)
sys.exit(3)
