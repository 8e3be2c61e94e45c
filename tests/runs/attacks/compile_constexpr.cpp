// tries: to keep the compiler in a computation
// ends: compile_error, compile_timeout, compile_out_of_memory
// within: 7
constexpr long f(long n) { return n < 2 ? n : f(n - 1) + f(n - 2); }
int main() { static_assert(f(90)); }
