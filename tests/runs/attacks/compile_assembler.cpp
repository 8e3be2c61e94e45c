// tries: to make the assembler write without end
// ends: compile_error, compile_out_of_memory, compile_timeout
// within: 7
asm(".rept 1000000000\n.quad 1, 2, 3, 4\n.endr");
int main() {}
