/* The programs that 'ipc door' is compared with: an echo of messages, and a caller that asks it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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

/* Answers one client after the other, each as long as it asks. */
static int serve(const char *path) {
    struct sockaddr_un a = address(path);
    int s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    must(bind(s, (void *)&a, sizeof a) == 0 && listen(s, 128) == 0, path);
    for (;;) {
        char buffer[4096];
        int c = accept(s, 0, 0);
        must(c >= 0, "accept");
        for (ssize_t n; (n = recv(c, buffer, sizeof buffer, 0)) > 0;) send(c, buffer, n, MSG_NOSIGNAL);
        close(c);
    }
}

/* Asks so many times, over one connection. */
static int ask(const char *path, long times) {
    struct sockaddr_un a = address(path);
    char buffer[64] = "x";
    int s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    must(connect(s, (void *)&a, sizeof a) == 0, path);
    while (times--) {
        must(send(s, buffer, 1, 0) == 1, "send");
        must(recv(s, buffer, sizeof buffer, 0) == 1, "recv");
    }
    return 0;
}

/* A worker: returns each line. */
static int work(void) {
    char buffer[4096];
    for (ssize_t n; (n = read(0, buffer, sizeof buffer)) > 0;) must(write(1, buffer, n) == n, "write");
    return 0;
}

int main(int argc, char **argv) {
    must(argc > 1, "a word is missing");
    if (!strcmp(argv[1], "serve")) return serve(argv[2]);
    if (!strcmp(argv[1], "ask")) return ask(argv[2], atol(argv[3]));
    return work();
}
