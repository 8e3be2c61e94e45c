// tries: to cost the server a wake-up for every byte
// ends: output_limit, wall_time
// within: 4.5
#include <unistd.h>
int main() { for (;;) write(1, "x", 1); }
