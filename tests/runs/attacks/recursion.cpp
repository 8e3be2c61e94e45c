// tries: to overflow the stack
// ends: signal, out_of_memory
// within: 4
int deep(int n) { volatile char block[4096] = {}; return deep(n + 1) + block[n % 4096]; }
int main() { return deep(0); }
