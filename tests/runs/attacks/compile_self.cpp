// tries: to include itself for ever
// ends: compile_error
// within: 5
#include __FILE__
#include __FILE__
int main() {}
