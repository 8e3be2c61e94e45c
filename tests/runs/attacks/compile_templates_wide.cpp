// tries: the same in breadth, where no maximum of depth ends it
// ends: compile_error, compile_timeout, compile_out_of_memory
// within: 7
template <int N, long M> struct A { A<N - 1, 2 * M> a; A<N - 1, 2 * M + 1> b; };
template <long M> struct A<0, M> {};
int main() { A<40, 0> a; }
