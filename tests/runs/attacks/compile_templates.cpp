// tries: to keep the compiler in templates
// ends: compile_error, compile_timeout, compile_out_of_memory
// within: 7
template <int N> struct A { A<N + 1> a; A<N + 2> b; };
int main() { A<0> a; }
