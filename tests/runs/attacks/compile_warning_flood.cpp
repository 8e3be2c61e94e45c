// tries: the same with warnings, which no maximum of errors ends
// ends: completed
// within: 7
#define W _Pragma("GCC warning \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"")
#define A W W W W W W W W W W
#define B A A A A A A A A A A
B B B B B
int main() {}
