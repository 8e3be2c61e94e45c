// tries: to read noise for ever
// ends: compile_error, compile_out_of_memory, compile_timeout
// within: 7
#include "/dev/urandom"
int main() {}
