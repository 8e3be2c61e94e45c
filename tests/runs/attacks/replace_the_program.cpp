// tries: to give the next run another program: main replaced, then linked elsewhere
// inputs: 1, 2, 3
// ends: completed
// within: 5
// prints: me\n
#include <cstdio>
#include <unistd.h>
int main() {
    std::puts("me");
    unlink("main");
    symlink("/bin/true", "main");
    unlink("main.cpp");
    symlink("/etc/passwd", "main.cpp");
}
