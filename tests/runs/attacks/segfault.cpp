// tries: to end by a fault
// ends: signal
// within: 4
int main() { *(volatile int *)8 = 1; }
