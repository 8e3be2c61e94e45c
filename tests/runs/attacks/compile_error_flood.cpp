// tries: to fill the server's memory with error messages
// ends: compile_error
// within: 7
#define A x; x; x; x; x; x; x; x; x; x;
#define B A A A A A A A A A A
#define C B B B B B B B B B B
#pragma GCC warning "a long message"
template <class T> struct S { typename T::a::b::c d; S<S<S<S<T>>>> e; };
S<S<S<S<S<S<S<int>>>>>>> s;
int main() { C }
