// tries: a program larger than the memory in which the launcher keeps it for the next run
// inputs: 1, 2
// ends: completed
// within: 9
asm(".data\n.fill 25000000, 1, 1\n.text");
int main() {}
