// tries: to run before main does, for ever
// ends: wall_time
// within: 5
__attribute__((constructor)) void before() { for (;;) asm volatile(""); }
int main() {}
