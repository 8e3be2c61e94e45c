// tries: to hide code by the direction of text, and in names that look alike
// ends: completed
// within: 4
// prints: admin\n
#include <cstdio>
int main() {
    bool аdmin = true; // Cyrillic
    /*‮ } ⁦if (аdmin)⁩ ⁦ begin */
    if (аdmin) std::puts("admin");
}
