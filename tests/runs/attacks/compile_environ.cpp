// tries: to read environments and memory in error messages
// ends: compile_error
// within: 5
// never: DOCKER|TOKEN|SECRET
#include "/proc/1/environ"
#include "/proc/1/mem"
#include "/proc/self/environ"
int main() {}
