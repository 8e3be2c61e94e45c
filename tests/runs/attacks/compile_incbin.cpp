// tries: to build files into the program, and print them
// ends: compile_error
// within: 5
// never: root:
asm(".data\n.globl found\nfound: .incbin \"/etc/shadow\"\n.byte 0\n.text");
extern "C" char found[];
#include <cstdio>
int main() { std::puts(found); }
