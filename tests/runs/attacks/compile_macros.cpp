// tries: to fill the compiler's memory with macros
// ends: compile_out_of_memory, compile_timeout
// within: 7
#define A(x) x x x x x x x x
#define B(x) A(A(A(A(x))))
int main() { B(B(B(int i;))) }
