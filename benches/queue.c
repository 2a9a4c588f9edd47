/* What a queue is compared with: a message of SIZE bytes, COUNT times, from one process to another.
   Prints the nanoseconds that each took. MODE is pipe, mq, seqpacket, ring, copy or futex; HOW is "way"
   for one way, "trip" for there and back. A ring has CAPACITY bytes.

   "copy" is the limit of the machine: a ring like "ring", in which each message begins a cache line of
   its own and is copied by vector instructions. Its time is that of moving the lines between the
   caches of the two CPUs.

   "futex" is the limit for a round trip of processes that sleep: one message in shared memory, and no more
   than the two calls that a queue makes for it, one to commit and wake in one step, and one to sleep. */
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LONGEST 8192
struct ring {
    _Alignas(128) _Atomic unsigned long head;
    _Alignas(128) _Atomic unsigned long tail;
    _Alignas(128) _Atomic unsigned commits;
    unsigned popped;
    _Alignas(128) unsigned char bytes[];
};
typedef long long vector __attribute__((vector_size(16), aligned(1), may_alias));
struct channel {
    int in, out;
    mqd_t queue;
    struct ring *ring;
};
static char mode;
static unsigned long capacity;
static unsigned char buffer[LONGEST];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static struct channel make(int number) {
    struct channel c = {0};
    int fd[2];
    char name[64];
    struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 8192};
    switch (mode) {
    case 'p':
        if (pipe(fd)) exit(1);
        c.in = fd[0], c.out = fd[1];
        break;
    case 's':
        if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd)) exit(1);
        c.in = fd[0], c.out = fd[1];
        break;
    case 'm':
        snprintf(name, sizeof name, "/ipc-bench-%d-%d", getpid(), number);
        c.queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
        if (c.queue < 0) exit(1);
        mq_unlink(name);
        break;
    default:
        c.ring = mmap(0, sizeof *c.ring + capacity + 2 * LONGEST, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    }
    return c;
}

/* The bytes that a message takes in a ring. */
static unsigned long needed(size_t size) {
    return mode == 'c' ? 64 + ((size + 63) & ~63ul) : 8 + ((size + 7) & ~7ul);
}

static void copy(unsigned char *to, const unsigned char *from, size_t size) {
    if (mode != 'c') {
        memcpy(to, from, size);
        return;
    }
    for (size_t at = 0; at < size; at += 16) *(vector *)(to + at) = *(const vector *)(from + at);
}

static void put(struct channel *c, size_t size) {
    if (mode == 'm') {
        if (mq_send(c->queue, (char *)buffer, size, 0)) exit(1);
    } else if (mode == 'f') {
        memcpy(c->ring->bytes, buffer, size);
        syscall(SYS_futex, &c->ring->commits, FUTEX_WAKE_OP, 1, 0, &c->ring->commits,
                FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_LT, 0));
    } else if (mode != 'r' && mode != 'c') {
        if (write(c->out, buffer, size) != (ssize_t)size) exit(1);
    } else {
        static unsigned long seen;
        unsigned long tail = atomic_load_explicit(&c->ring->tail, memory_order_relaxed);
        unsigned long need = needed(size);
        while (tail + need - seen > capacity)
            seen = atomic_load_explicit(&c->ring->head, memory_order_acquire);
        unsigned char *at = c->ring->bytes + (tail & (capacity - 1));
        *(unsigned *)at = size;
        copy(at + need - ((size + 7) & ~7ul), buffer, size);
        atomic_store_explicit(&c->ring->tail, tail + need, memory_order_release);
    }
}

static void get(struct channel *c, size_t size) {
    if (mode == 'm') {
        if (mq_receive(c->queue, (char *)buffer, sizeof buffer, 0) != (ssize_t)size) exit(1);
    } else if (mode == 'f') {
        unsigned popped = c->ring->popped;
        while (atomic_load(&c->ring->commits) == popped)
            syscall(SYS_futex, &c->ring->commits, FUTEX_WAIT, popped, 0, 0, 0);
        c->ring->popped = popped + 1;
        memcpy(buffer, c->ring->bytes, size);
    } else if (mode != 'r' && mode != 'c') {
        for (size_t got = 0; got < size;) {
            ssize_t more = read(c->in, buffer + got, size - got);
            if (more <= 0) exit(1);
            got += more;
        }
    } else {
        static unsigned long seen;
        unsigned long head = atomic_load_explicit(&c->ring->head, memory_order_relaxed);
        while (seen == head) seen = atomic_load_explicit(&c->ring->tail, memory_order_acquire);
        unsigned char *at = c->ring->bytes + (head & (capacity - 1));
        unsigned length = *(unsigned *)at;
        unsigned long need = needed(length);
        copy(buffer, at + need - ((length + 7) & ~7ul), length);
        atomic_store_explicit(&c->ring->head, head + need, memory_order_release);
    }
}

static void stay_on(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

int main(int argc, char **argv) {
    (void)argc;
    mode = argv[1][0];
    int trip = argv[2][0] == 't';
    long count = atol(argv[3]);
    size_t size = atol(argv[4]);
    capacity = atol(argv[7]);
    struct channel there = make(0), back = make(1);
    if (!fork()) {
        stay_on(atoi(argv[6]));
        for (long i = 0; i <= count; i++) {
            put(&there, size);
            if (trip) get(&back, size);
        }
        _exit(0);
    }
    stay_on(atoi(argv[5]));
    get(&there, size);
    double start = now();
    for (long i = 0; i < count; i++) {
        if (trip) put(&back, size);
        get(&there, size);
    }
    double each = (now() - start) / count;
    if (trip) put(&back, size);
    wait(0);
    return printf("%f\n", each) < 0;
}
