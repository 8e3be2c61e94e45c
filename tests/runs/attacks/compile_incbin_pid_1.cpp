// tries: the same of the launcher's memory and environment
// ends: compile_error
// within: 5
asm(".data\n.globl found\nfound: .incbin \"/proc/1/environ\"\n.incbin \"/proc/1/fd/0\"\n.byte 0\n.text");
int main() {}
