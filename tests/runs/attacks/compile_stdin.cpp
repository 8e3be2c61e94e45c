// tries: to read the input while compiling
// ends: compile_error
// within: 5
// never: SECRET-INPUT
// inputs: SECRET-INPUT
#include "/dev/stdin"
#include "/proc/self/fd/0"
int main() { return x; }
