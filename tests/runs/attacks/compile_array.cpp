// tries: to make the compiler write a file of a gigabyte
// ends: compile_error, compile_out_of_memory, compile_timeout
// within: 7
char big[1 << 30] = {1};
int main() {}
