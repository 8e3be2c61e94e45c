// tries: to name another program as its loader
// ends: exit_code, signal, completed
// within: 4
// never: root:
asm(".section .interp,\"a\"\n.string \"/bin/cat\"\n.text");
int main() {}
