// tries: to change the compiler's options by pragmas, and to poison what follows
// ends: compile_error, completed
// within: 6
#pragma GCC optimize("O3,unroll-loops")
#pragma GCC target("avx512f")
#pragma GCC dependency "/etc/shadow"
#pragma GCC pch_preprocess "/etc/passwd"
#include <iostream>
int main() {}
