/* The programs that 'ipc pipe' and 'ipc fifo' are compared with, as short as they can be, and the
   source and the sink of all streams. A failure, or a byte too few or too many, ends them with 1. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE (1 << 20)
#define BLOCK (256 << 10)

extern char **environ;

static char block[BLOCK];

static void must(int holds, const char *what) {
    if (holds) return;
    perror(what);
    exit(1);
}

static void feed(size_t size) {
    memset(block, 'x', sizeof block);
    for (size_t i = 99; i < sizeof block; i += 100) block[i] = '\n';
    while (size > 0) {
        ssize_t n = write(1, block, size < BLOCK ? size : BLOCK);
        must(n > 0, "feed");
        size -= n;
    }
}

static void drain(size_t size) {
    ssize_t n;
    while ((n = read(0, block, sizeof block)) > 0) {
        must((size_t)n <= size, "drain: too many");
        size -= n;
    }
    must(n == 0 && size == 0, "drain");
}

static void enlarge(int fd) { fcntl(fd, F_SETPIPE_SZ, PIPE); }

static void move(void) {
    ssize_t n;
    enlarge(0), enlarge(1);
    while ((n = splice(0, NULL, 1, NULL, PIPE, 0)) > 0) {}
    must(n == 0, "splice");
}

/* To stdout and to descriptor 3. */
static void twice(void) {
    ssize_t n;
    enlarge(0), enlarge(1), enlarge(3);
    while ((n = tee(0, 1, PIPE, 0)) > 0)
        for (ssize_t moved; n > 0; n -= moved)
            must((moved = splice(0, NULL, 3, NULL, n, 0)) > 0, "splice");
    must(n == 0, "tee");
}

/* The most memory that a command has had, on stderr. */
static void peak(char **words) {
    pid_t child;
    int status;
    struct rusage usage;
    must(posix_spawn(&child, words[0], NULL, NULL, words, environ) == 0, words[0]);
    must(wait4(child, &status, 0, &usage) == child && status == 0, words[0]);
    fprintf(stderr, "%ld\n", usage.ru_maxrss);
}

int main(int argc, char **argv) {
    size_t size = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    must(argc > 1, "usage");
    if (!strcmp(argv[1], "feed")) feed(size);
    else if (!strcmp(argv[1], "drain")) drain(size);
    else if (!strcmp(argv[1], "splice")) move();
    else if (!strcmp(argv[1], "tee")) twice();
    else if (!strcmp(argv[1], "peak")) peak(argv + 2);
    else must((errno = EINVAL, 0), argv[1]);
    return 0;
}
