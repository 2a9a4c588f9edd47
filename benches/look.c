/* Measures a command on a machine with many processes and objects.

   look PROCESSES OBJECTS ROUNDS QUEUE PROGRAM [ARGUMENT]...

   In new namespaces of mounts and of IPC it makes OBJECTS of all kinds, and PROCESSES that sleep and have some
   of them open. Then it runs PROGRAM and prints a line for each run: microseconds, those that a CPU spent on
   it, and the maximum of resident memory in KiB. QUEUE is a file with a queue of ipc, of which it makes copies. The status is 77
   where namespaces cannot be made. */
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char queue[1 << 16];
static ssize_t queue_size;

static int check(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
	return result;
}

static void write_to(const char *path, const char *text)
{
	int file = check(open(path, O_WRONLY), path);
	check(write(file, text, strlen(text)), path);
	close(file);
}

/* A machine whose objects end with it. */
static void enter_namespaces(void)
{
	int flags = CLONE_NEWNS | CLONE_NEWIPC;
	uid_t uid = geteuid();
	if (unshare(uid == 0 ? flags : flags | CLONE_NEWUSER) < 0)
		exit(77);
	if (uid != 0) {
		char map[64];
		snprintf(map, sizeof map, "0 %u 1", uid);
		write_to("/proc/self/uid_map", map);
	}
	check(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "/");
	if (mount("none", "/dev/shm", "tmpfs", 0, "mode=1777") < 0)
		exit(77);
	int most = open("/proc/sys/fs/mqueue/queues_max", O_WRONLY);
	if (most >= 0 && write(most, "100000", 6) < 0)
		perror("queues_max");
	close(most);
}

static int file_of(const char *name, int index, const void *bytes, size_t length)
{
	char path[64];
	snprintf(path, sizeof path, "/dev/shm/%s%d", name, index);
	int file = check(open(path, O_RDWR | O_CREAT, 0600), path);
	check(write(file, bytes, length), path);
	return file;
}

static int listening_socket(int index)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof address.sun_path, "/dev/shm/socket%d", index);
	int file = check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	check(bind(file, (struct sockaddr *)&address, sizeof address), "bind");
	check(listen(file, 1), "listen");
	return file;
}

static int fifo(int index)
{
	char path[64];
	snprintf(path, sizeof path, "/dev/shm/fifo%d", index);
	check(mkfifo(path, 0600), path);
	return check(open(path, O_RDWR), path);
}

static int memory(int index)
{
	char name[64];
	snprintf(name, sizeof name, "memory%d", index);
	return check(memfd_create(name, 0), name);
}

static void message_queue(int index)
{
	char name[64];
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 16 };
	snprintf(name, sizeof name, "/mq%d", index);
	close(check(mq_open(name, O_RDWR | O_CREAT, 0600, &attributes), name));
}

/* An object of the kind that its index stands for; returns its descriptor, or -1 if it needs none. */
static int object(int index)
{
	static const unsigned char semaphore[32] = { 1, 0, 0, 0, 0, 0, 0, 0, 128 };
	int kind = index % 100;
	if (kind < 28)
		return file_of("shm", index, queue + 1, kind < 14 ? 100 : 5000);
	if (kind < 33) {
		int file = file_of("locked", index, "", 1);
		check(flock(file, LOCK_EX), "flock");
		return file;
	}
	if (kind < 41)
		return listening_socket(index);
	if (kind < 44)
		return fifo(index);
	if (kind < 46)
		return memory(index);
	if (kind < 71)
		close(file_of("sem.", index, semaphore, sizeof semaphore));
	else if (kind < 75)
		close(file_of("queue", index, queue, queue_size));
	else if (kind < 78)
		message_queue(index);
	else if (kind < 88)
		check(shmget(index + 1, 4096, IPC_CREAT | 0600), "shmget");
	else if (kind < 93)
		check(semget(index + 1, 1, IPC_CREAT | 0600), "semget");
	else
		check(msgget(index + 1, IPC_CREAT | 0600), "msgget");
	return -1;
}

/* A process that sleeps, with every object whose index leaves this remainder. */
static pid_t sleeper(int number, int processes, int objects)
{
	int held[1024], count = 0;
	for (int index = number; index < objects; index += processes) {
		int file = object(index);
		if (file >= 0 && count < 1024)
			held[count++] = file;
	}
	pid_t child = check(fork(), "fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	while (count > 0)
		close(held[--count]);
	return child;
}

static void run(char **words)
{
	struct timespec start, end;
	struct rusage usage;
	int status;
	clock_gettime(CLOCK_MONOTONIC, &start);
	pid_t child = check(fork(), "fork");
	if (child == 0) {
		int nothing = open("/dev/null", O_RDWR);
		dup2(nothing, 1);
		dup2(nothing, 2);
		execvp(words[0], words);
		_exit(127);
	}
	check(wait4(child, &status, 0, &usage), "wait4");
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
		fprintf(stderr, "%s: status %d\n", words[0], status);
		exit(1);
	}
	long microseconds = (end.tv_sec - start.tv_sec) * 1000000 + (end.tv_nsec - start.tv_nsec) / 1000;
	struct timeval user = usage.ru_utime, kernel = usage.ru_stime;
	long cpu = (user.tv_sec + kernel.tv_sec) * 1000000 + user.tv_usec + kernel.tv_usec;
	printf("%ld %ld %ld\n", microseconds, cpu, usage.ru_maxrss);
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return 2;
	int processes = atoi(argv[1]), objects = atoi(argv[2]), rounds = atoi(argv[3]);
	int file = check(open(argv[4], O_RDONLY), argv[4]);
	queue_size = check(read(file, queue, sizeof queue), argv[4]);
	close(file);
	enter_namespaces();
	pid_t *children = calloc(processes, sizeof *children);
	for (int number = 0; number < processes; number++)
		children[number] = sleeper(number, processes, objects);
	for (int round = 0; round < rounds; round++)
		run(argv + 5);
	for (int number = 0; number < processes; number++)
		kill(children[number], SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}
