/* The system calls of short commands of ipc, in the same order, and nothing else: what remains of the
   time of a command when its own code takes none. The first word says which; the others are the
   arguments. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define HARMLESS (O_NOCTTY | O_NONBLOCK | O_CLOEXEC)

extern char **environ;
static struct stat status;
static struct mq_attr limits;

static void caught(int signal) { _exit(signal); }

static void start(void)
{
	for (int fd = 0; fd < 3; fd++)
		fcntl(fd, F_GETFD);
	struct sigaction ignored = { .sa_handler = SIG_IGN };
	sigaction(SIGPIPE, &ignored, 0);
	sigaction(SIGXFSZ, &ignored, 0);
}

static int opened(const char *directory, const char *name, int access)
{
	char path[300];
	strcpy(path, directory);
	int fd = open(strcat(path, name), access | HARMLESS | O_NOFOLLOW);
	return fd < 0 || fstat(fd, &status) ? exit(1), fd : fd;
}

static long *mapped(int fd)
{
	void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct sigaction handled = { .sa_handler = caught };
	sigaction(SIGBUS, &handled, 0);
	return page == MAP_FAILED ? exit(1), page : page;
}

static int said(const char *text) { return write(1, text, strlen(text)) < 0; }

static long *semaphore(const char *name) { return mapped(opened("/dev/shm/sem.", name + 1, O_RDWR)); }

static int post(char **name)
{
	__atomic_add_fetch(semaphore(*name), 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int value(char **name) { return *semaphore(*name) < 0 || said("100\n"); }

static int wait_for(char **name)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	__atomic_sub_fetch(semaphore(*name), 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int send(char **name)
{
	mqd_t queue = mq_open(*name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return mq_getattr(queue, &limits) || mq_send(queue, "hello", 5, 0) || mq_close(queue);
}

static int recv(char **name)
{
	mqd_t queue = mq_open(*name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	sigset_t signals, before;
	sigfillset(&signals);
	sigprocmask(SIG_BLOCK, &signals, &before);
	fcntl(1, F_GETFL);
	fstat(1, &status);
	struct winsize size;
	ioctl(1, TIOCGWINSZ, &size);
	struct pollfd output = { 1, POLLOUT, 0 };
	struct timespec none = { 0, 0 };
	char message[16];
	return mq_getattr(queue, &limits) || ppoll(&output, 1, &none, 0) != 1
		|| mq_receive(queue, message, sizeof message, 0) != 5 || said("hello\n")
		|| mq_close(queue) || sigprocmask(SIG_SETMASK, &before, 0);
}

static int peek(char **name)
{
	int fd = opened("/dev/shm/", *name + 1, O_RDONLY);
	for (int i = 0; i < 4; i++)
		fstat(fd, &status);
	long number = 0;
	if (lseek(fd, 0, SEEK_DATA) >= 0 && pread(fd, &number, 8, 0) != 8)
		return 1;
	return close(fd) || said("0\n");
}

static int add(char **name)
{
	int fd = opened("/dev/shm/", *name + 1, O_RDWR);
	struct statfs system;
	fstat(fd, &status);
	fstat(fd, &status);
	fstatfs(fd, &system);
	long *number = mapped(fd);
	__atomic_add_fetch(number, 1, __ATOMIC_SEQ_CST);
	for (int half = 0; half < 2; half++)
		syscall(SYS_futex, (char *)number + 4 * half, 1, 0x7fffffff);
	struct sigaction usual = { .sa_handler = SIG_DFL };
	return fstat(fd, &status) || munmap(number, 4096) || sigaction(SIGBUS, &usual, 0)
		|| said("1\n") || close(fd);
}

static int run(char **words)
{
	const char *file = words[0];
	char **command = words + 1;
	int fd = open(file, O_RDONLY | HARMLESS);
	char record[4096];
	if (fstat(fd, &status) || flock(fd, LOCK_EX | LOCK_NB) || stat(file, &status)
	    || fstat(fd, &status) || pread(fd, record, sizeof record, 0) < 0 || fcntl(fd, F_SETFD, 0)
	    || stat(*command, &status) || access(*command, X_OK))
		return 1;
	for (int signal = 1; signal < 65; signal++) {
		struct sigaction now;
		if (!sigaction(signal, 0, &now) && now.sa_handler == SIG_IGN && signal != SIGHUP) {
			now.sa_handler = SIG_DFL;
			sigaction(signal, &now, 0);
		}
	}
	return execve(*command, command, environ);
}

static int signal_to(char **process)
{
	int fd = syscall(434 /* pidfd_open */, atoi(*process), 0);
	return syscall(424 /* pidfd_send_signal */, fd, 0, 0, 0) || close(fd);
}

static int version(char **none) { return said("ipc 0.1.0\n") || *none; }

static const struct {
	const char *verb;
	int (*run)(char **);
} verbs[] = {
	{ "version", version }, { "value", value }, { "post", post }, { "wait", wait_for },
	{ "send", send }, { "recv", recv }, { "peek", peek }, { "add", add }, { "run", run },
	{ "signal", signal_to },
};

int main(int count, char **words)
{
	start();
	for (unsigned i = 0; count > 1 && i < sizeof verbs / sizeof *verbs; i++)
		if (!strcmp(words[1], verbs[i].verb))
			return verbs[i].run(words + 2);
	return 2;
}
