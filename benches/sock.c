/* The programs that 'ipc sock' is compared with, as short as they can be, and the clients that use
   all servers alike. Whatever goes wrong, and every byte that is missing or too many, is a failure. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE (1 << 20)
#define BLOCK (256 << 10)
#define SEND_BUFFER (4 << 20)

extern char **environ;

static void must(int holds, const char *what) {
    if (holds) return;
    perror(what);
    exit(1);
}

static struct sockaddr_un address(const char *path) {
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    must(strlen(path) < sizeof a.sun_path, path);
    strcpy(a.sun_path, path);
    return a;
}

static int listening(const char *path) {
    struct sockaddr_un a = address(path);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(s, (void *)&a, sizeof a) == 0 && listen(s, 4096) == 0, path);
    return s;
}

static int connected(const char *path) {
    struct sockaddr_un a = address(path);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(connect(s, (void *)&a, sizeof a) == 0, path);
    return s;
}

/* Streams: by splicing, through a pipe unless there is one already; or by blocks. */

static int is_pipe(int fd) {
    struct stat status;
    must(fstat(fd, &status) == 0, "fstat");
    fcntl(fd, F_SETPIPE_SZ, PIPE);
    return S_ISFIFO(status.st_mode);
}

static long splice_all(int in, int out) {
    int ends[2], direct = is_pipe(in) || is_pipe(out);
    must(pipe(ends) == 0, "pipe");
    fcntl(ends[1], F_SETPIPE_SZ, PIPE);
    for (long total = 0;;) {
        ssize_t taken = splice(in, 0, direct ? out : ends[1], 0, PIPE, SPLICE_F_MOVE);
        must(taken >= 0, "splice");
        if (taken == 0) return total;
        total += taken;
        while (!direct && taken > 0) {
            ssize_t given = splice(ends[0], 0, out, 0, taken, SPLICE_F_MOVE);
            must(given > 0, "splice");
            taken -= given;
        }
    }
}

static long write_all(int out, const char *bytes, long count) {
    for (long done = 0; done < count;) {
        ssize_t given = write(out, bytes + done, count - done);
        must(given > 0, "write");
        done += given;
    }
    return count;
}

static long copy_blocks(int in, int out) {
    static char block[BLOCK];
    int size = SEND_BUFFER;
    is_pipe(in), is_pipe(out);
    setsockopt(out, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    for (long total = 0;;) {
        ssize_t taken = read(in, block, BLOCK);
        must(taken >= 0, "read");
        if (taken == 0) return total;
        total += write_all(out, block, taken);
    }
}

/* What is at the other ends of pipes. */

static long feed(long size) {
    static char block[BLOCK];
    is_pipe(1);
    memset(block, 7, BLOCK);
    for (long left = size; left > 0;) left -= write_all(1, block, left < BLOCK ? left : BLOCK);
    return size;
}

/* A server that starts a command for each client. */

static void spawn_for_each(const char *path, char **command) {
    posix_spawn_file_actions_t actions;
    for (int s = listening(path);;) {
        int client = accept4(s, 0, 0, SOCK_CLOEXEC);
        must(client >= 0, "accept");
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, client, 0);
        posix_spawn_file_actions_adddup2(&actions, client, 1);
        errno = posix_spawn(&(pid_t){ 0 }, command[0], &actions, 0, command, environ);
        must(errno == 0, command[0]);
        posix_spawn_file_actions_destroy(&actions);
        close(client);
        while (waitpid(-1, 0, WNOHANG) > 0) {}
    }
}

static void echo(const char *path) {
    static char block[BLOCK];
    for (int s = listening(path);;) {
        int client = accept(s, 0, 0);
        for (ssize_t count; (count = read(client, block, BLOCK)) > 0;) write_all(client, block, count);
        close(client);
    }
}

/* Clients, each of which connects again and again, sends a message and expects it back, or nothing
   if there is none. */

static struct { const char *path, *message; long connections; } job;

static void *client(void *unused) {
    char answer[256];
    for (long left = job.connections; left > 0; left--) {
        size_t sent = strlen(job.message), received = 0;
        int s = connected(job.path);
        write_all(s, job.message, sent);
        shutdown(s, SHUT_WR);
        for (ssize_t count; (count = read(s, answer + received, sizeof answer - received)) != 0;) {
            must(count > 0, "read");
            received += count;
        }
        must(received == sent && !memcmp(answer, job.message, sent), "answer");
        close(s);
    }
    return unused;
}

static int clients(long count) {
    pthread_t threads[count];
    for (long i = 0; i < count; i++) must(!pthread_create(threads + i, 0, client, 0), "thread");
    for (long i = 0; i < count; i++) pthread_join(threads[i], 0);
    return 0;
}

/* Members of a hub, who have all heard the last of them; they stay until stdin ends. */
static int members(const char *path, long count) {
    char byte = '!';
    int sockets[count];
    for (long i = 0; i < count; i++) sockets[i] = connected(path);
    write_all(sockets[count - 1], &byte, 1);
    for (long i = 0; i + 1 < count; i++) must(read(sockets[i], &byte, 1) == 1, "hear");
    write_all(1, "\n", 1);
    must(read(0, &byte, 1) == 0, "stdin");
    return 0;
}

int main(int count, char **words) {
    const char *verb = words[1];
    long (*move)(int, int) = strncmp(verb, "splice", 6) ? copy_blocks : splice_all;
    if (strstr(verb, "-send")) return move(0, connected(words[2])) != atol(words[3]);
    if (strstr(verb, "-recv"))
        return move(accept(listening(words[2]), 0, 0), 1) != atol(words[3]);
    if (!strcmp(verb, "feed")) return feed(atol(words[2])) != atol(words[2]);
    if (!strcmp(verb, "drain"))
        return splice_all(0, open("/dev/null", O_WRONLY)) != atol(words[2]);
    if (!strcmp(verb, "spawn")) spawn_for_each(words[2], words + 3);
    if (!strcmp(verb, "echo")) echo(words[2]);
    if (!strcmp(verb, "members")) return members(words[2], atol(words[3]));
    must(!strcmp(verb, "clients") && count == 6, verb);
    job.path = words[2];
    job.connections = atol(words[4]) / atol(words[3]);
    job.message = words[5];
    return clients(atol(words[3]));
}
