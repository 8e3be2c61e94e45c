// tries: to make the linker write without end
// ends: compile_error, compile_out_of_memory, compile_timeout, completed, signal, exit_code, out_of_memory
// within: 8
asm(".data\n.balign 1073741824\n.byte 1\n.org 8589934592\n.byte 1\n.text");
int main() {}
