/* The limit for lines through a queue: the reads and writes of 'ipc queue push' and 'ipc queue pop', a search
   for newlines, and one copy of each line into a ring and one out of it. The ring has one producer and one
   consumer and no lock, and a kill breaks it. As a queue does, a side polls for the time of a wake-up before
   it sleeps. The lines of stdin, which are shorter than STAGE, go to stdout; CAPACITY is that of the ring. */
#include <emmintrin.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK (64 << 10)
#define HEADER 16
#define STAGE (16 << 10)
#define PIPE (1 << 20)

/* A position that only grows, which its side publishes; the other side waits for a change of `changes`. */
struct side {
    _Alignas(128) _Atomic uint64_t position;
    _Atomic uint32_t changes, sleeps;
};
struct ring {
    struct side pushed, popped;
    _Alignas(128) char bytes[];
};
static struct ring *ring;
static uint64_t capacity;
static char block[BLOCK + 64], out[BLOCK];
/* Records on their way to the ring, which are copied at once: a store to a line that the other CPU has waits. */
static char stage[STAGE];
static uint32_t ends[BLOCK];

static void publish(struct side *side, uint64_t position) {
    atomic_store_explicit(&side->position, position, memory_order_release);
    atomic_fetch_add(&side->changes, 1);
    if (atomic_exchange(&side->sleeps, 0)) syscall(SYS_futex, &side->changes, FUTEX_WAKE, 1, 0, 0, 0);
}

static uint64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* Waits until the position of a side is not this one, and returns it. */
static uint64_t other_than(struct side *side, uint64_t position) {
    uint64_t seen;
    for (;;) {
        uint64_t end = nanoseconds() + 40000;
        do {
            for (int i = 0; i < 32; i++) {
                seen = atomic_load_explicit(&side->position, memory_order_acquire);
                if (seen != position) return seen;
                _mm_pause();
            }
        } while (nanoseconds() < end);
        uint32_t changes = atomic_load(&side->changes);
        atomic_store(&side->sleeps, 1);
        if (atomic_load(&side->position) == position)
            syscall(SYS_futex, &side->changes, FUTEX_WAIT, changes, 0, 0, 0);
    }
}

static void copy(uint64_t position, char *bytes, size_t size, int in) {
    uint64_t offset = position & (capacity - 1), first = capacity - offset;
    if (first > size) first = size;
    char *parts[2] = {ring->bytes + offset, ring->bytes};
    size_t sizes[2] = {first, size - first};
    for (int i = 0; i < 2; bytes += sizes[i], i++)
        if (sizes[i]) memcpy(in ? parts[i] : bytes, in ? bytes : parts[i], sizes[i]);
}

static uint64_t *header(uint64_t position) {
    return (uint64_t *)(ring->bytes + (position & (capacity - 1)));
}

static uint64_t size_of(size_t length) { return HEADER + ((length + 7) & ~7ull); }

static size_t find_ends(size_t length) {
    size_t count = 0;
    __m128i newline = _mm_set1_epi8('\n');
    for (size_t at = 0; at < length; at += 64) {
        uint64_t bits = 0;
        for (int i = 0; i < 4; i++) {
            __m128i piece = _mm_loadu_si128((void *)(block + at + 16 * i));
            bits |= (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(piece, newline)) << (16 * i);
        }
        for (; bits; bits &= bits - 1) {
            size_t end = at + __builtin_ctzll(bits);
            if (end < length) ends[count++] = end;
        }
    }
    return count;
}

/* Publishes the tail and waits, if there is no room for so many bytes behind it. */
static void wait_for_room(uint64_t tail, uint64_t size, uint64_t *head) {
    if (tail + size - *head <= capacity) return;
    publish(&ring->pushed, tail);
    while (tail + size - *head > capacity) *head = other_than(&ring->popped, *head);
}

static uint64_t flush(uint64_t tail, size_t *staged, uint64_t *head) {
    wait_for_room(tail, *staged, head);
    copy(tail, stage, *staged, 1);
    tail += *staged;
    *staged = 0;
    return tail;
}

static int push(void) {
    uint64_t tail = 0, head = 0;
    size_t have = 0, staged = 0;
    ssize_t got;
    fcntl(0, F_SETPIPE_SZ, PIPE);
    while ((got = read(0, block + have, BLOCK - have)) > 0) {
        have += got;
        size_t count = find_ends(have), start = 0;
        for (size_t i = 0; i < count; i++) {
            size_t length = ends[i] - start;
            if (size_of(length) > STAGE) return 1;
            if (staged + size_of(length) > STAGE) tail = flush(tail, &staged, &head);
            *(uint64_t *)(stage + staged) = length + 1;
            memcpy(stage + staged + HEADER, block + start, length);
            staged += size_of(length);
            start = ends[i] + 1;
        }
        tail = flush(tail, &staged, &head);
        publish(&ring->pushed, tail);
        memmove(block, block + start, have -= start);
    }
    /* A header of 0 is the end. */
    memset(stage, 0, staged = HEADER);
    publish(&ring->pushed, flush(tail, &staged, &head));
    return got || have;
}

static int pop(void) {
    fcntl(1, F_SETPIPE_SZ, PIPE);
    for (uint64_t head = 0, tail = 0;;) {
        size_t filled = 0;
        if (head == tail) tail = other_than(&ring->pushed, tail);
        while (head != tail) {
            size_t length = *header(head) - 1;
            if (filled && (length == (size_t)-1 || filled + length + 1 > BLOCK)) break;
            if (length == (size_t)-1) return 0;
            copy(head + HEADER, out + filled, length, 0);
            filled += length;
            out[filled++] = '\n';
            head += size_of(length);
        }
        publish(&ring->popped, head);
        for (size_t at = 0; at < filled;) {
            ssize_t written = write(1, out + at, filled - at);
            if (written < 0) return 1;
            at += written;
        }
    }
}

int main(int argc, char **argv) {
    int status;
    capacity = strtoull(argv[argc - 1], 0, 10);
    ring = mmap(0, sizeof *ring + capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED) return 1;
    pid_t child = fork();
    if (!child) _exit(push());
    int failed = pop();
    return waitpid(child, &status, 0) != child || status || failed;
}
