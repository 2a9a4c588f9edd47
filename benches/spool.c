/* The system calls of a put of each line of 10 bytes, and no more: a file in tmp/, its lock and its mode,
   its bytes, its sync, its rename, and a sync of ready/ for each 64. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(int result)
{
	if (result < 0) {
		perror("spool");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	check(chdir(argv[1]));
	int count = atoi(argv[2]);
	for (int i = 0; i < count; i++) {
		char from[64], to[64];
		snprintf(from, sizeof from, "tmp/00000-%016x-%016x-0000-%024x", i, 0, i);
		snprintf(to, sizeof to, "ready/%s", from + 4);
		int file = open(from, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		check(file);
		check(flock(file, LOCK_EX | LOCK_NB));
		check(fchmod(file, 0600));
		check(write(file, "0123456789", 10));
		check(fsync(file));
		check(flock(file, LOCK_UN));
		check(rename(from, to));
		check(close(file));
		if (i % 64 == 63 || i == count - 1) {
			int ready = open("ready", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			check(ready);
			check(fsync(ready));
			check(close(ready));
		}
	}
	return 0;
}
