// tries: to read for ever
// ends: compile_error, compile_out_of_memory, compile_timeout
// within: 7
#include "/dev/zero"
int main() {}
