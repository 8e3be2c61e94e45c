// tries: to make the launcher wait for ever: the program is a FIFO, without rights
// inputs: 1, 2, 3
// ends: completed
// within: 5
// prints: me\n
#include <cstdio>
#include <initializer_list>
#include <sys/stat.h>
#include <unistd.h>
int main() {
    std::puts("me");
    for (const char *name : {"main", "main.cpp", ".input", ".source"}) {
        unlink(name);
        mkfifo(name, 0);
    }
}
