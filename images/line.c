/* Linked into every program: its streams are pipes, and are buffered as a terminal's would be. Buffered by blocks, the
 * lines that were printed before a crash or a kill would be lost, and a prompt not be seen before its answer. */
#include <stdio.h>
#include <sys/stat.h>

static int is_file(FILE *stream)
{
    struct stat found;
    return fstat(fileno(stream), &found) == 0 && S_ISREG(found.st_mode);
}

/* 101: before the program's own constructors, which may print. */
__attribute__((constructor(101))) static void buffer_by_lines(void)
{
    if (!is_file(stdout))
        setvbuf(stdout, NULL, _IOLBF, 0);
    /* Reading from a stream of lines makes the C library write out what stdout still holds. */
    if (!is_file(stdin))
        setvbuf(stdin, NULL, _IOLBF, 0);
}
