/* The limit for lines through a queue: the reads and writes of 'ipc queue push' and 'ipc queue pop', and
   one copy of each line into a ring and one out of it. The ring has one producer and one consumer, no
   lock, and is broken by a kill. The lines of stdin go to stdout; CAPACITY is that of the ring. */
#include <emmintrin.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK (64 << 10)

struct ring {
    _Alignas(128) _Atomic uint64_t head;
    _Alignas(128) _Atomic uint64_t tail;
    _Alignas(128) char bytes[];
};
static struct ring *ring;
static uint64_t capacity;
static char block[BLOCK + 64], out[BLOCK];
static uint32_t ends[BLOCK];

/* A record begins with 16 bytes, and does not go over the end of the ring in these benches' capacities
   except in its message, which both sides copy in two parts. */
static void copy(uint64_t position, char *bytes, size_t size, int in) {
    uint64_t offset = position & (capacity - 1), first = capacity - offset;
    if (first > size) first = size;
    char *parts[2] = {ring->bytes + offset, ring->bytes};
    size_t sizes[2] = {first, size - first};
    for (int i = 0; i < 2; bytes += sizes[i], i++)
        if (sizes[i]) memcpy(in ? parts[i] : bytes, in ? bytes : parts[i], sizes[i]);
}

static uint64_t size_of(size_t length) { return 16 + ((length + 7) & ~7ull); }

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

static int push(void) {
    uint64_t tail = 0, seen = 0;
    size_t have = 0;
    for (ssize_t got; (got = read(0, block + have, BLOCK - have)) > 0;) {
        have += got;
        size_t count = find_ends(have), start = 0;
        for (size_t i = 0; i < count; i++) {
            size_t length = ends[i] - start;
            uint64_t size = size_of(length);
            while (tail + size - seen > capacity) {
                atomic_store_explicit(&ring->tail, tail, memory_order_release);
                seen = atomic_load_explicit(&ring->head, memory_order_acquire);
            }
            *(uint64_t *)(ring->bytes + (tail & (capacity - 1))) = length | 1ull << 32;
            copy(tail + 16, block + start, length, 1);
            tail += size;
            start = ends[i] + 1;
        }
        atomic_store_explicit(&ring->tail, tail, memory_order_release);
        memmove(block, block + start, have -= start);
    }
    /* An empty record of another kind is the end. */
    while (tail + 16 - seen > capacity)
        seen = atomic_load_explicit(&ring->head, memory_order_acquire);
    *(uint64_t *)(ring->bytes + (tail & (capacity - 1))) = 0;
    atomic_store_explicit(&ring->tail, tail + 16, memory_order_release);
    return have != 0;
}

static int pop(void) {
    for (uint64_t head = 0, tail = 0;;) {
        size_t filled = 0;
        while (head == tail) tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
        while (head != tail) {
            uint64_t header = *(uint64_t *)(ring->bytes + (head & (capacity - 1)));
            size_t length = (uint32_t)header;
            if (filled && (!header || filled + length + 1 > BLOCK)) break;
            if (!header) return 0;
            copy(head + 16, out + filled, length, 0);
            filled += length;
            out[filled++] = '\n';
            head += size_of(length);
        }
        atomic_store_explicit(&ring->head, head, memory_order_release);
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
