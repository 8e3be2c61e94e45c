// tries: to be without the C library, and to call the kernel alone
// ends: exit_code
// within: 4
extern "C" [[noreturn]] void _exit(int);
#ifdef __aarch64__
asm(".globl main\nmain: mov x8, #93\nmov x0, #3\nsvc #0");
#else
asm(".globl main\nmain: mov $60, %eax\nmov $3, %edi\nsyscall");
#endif
