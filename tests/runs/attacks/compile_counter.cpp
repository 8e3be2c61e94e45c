// tries: the same with __COUNTER__ and names
// ends: compile_out_of_memory, compile_timeout, compile_error
// within: 7
#define J(a, b) a##b
#define K(a, b) J(a, b)
#define A int K(x, __COUNTER__) = __COUNTER__;
#define B A A A A A A A A A A
#define C B B B B B B B B B B
#define D C C C C C C C C C C
#define E D D D D D D D D D D
#define F E E E E E E E E E E
F F F F F F F F F F
int main() {}
