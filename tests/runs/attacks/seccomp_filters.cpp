// tries: to fill the kernel with filters of its own
// ends: completed, out_of_memory, wall_time
// within: 4
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <vector>
int main() {
    std::vector<sock_filter> code(4096, sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW});
    sock_fprog program{4096, code.data()};
    while (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) {}
}
