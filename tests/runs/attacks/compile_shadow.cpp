// tries: to read the passwords of the host in error messages
// ends: compile_error
// within: 5
// never: root:
#include "/etc/shadow"
#include "/proc/1/root/etc/shadow"
int main() {}
