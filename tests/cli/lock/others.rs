//! Locks of other programs and of `ipc` exclude each other.

use super::new_file;
use crate::peers::{self, Program};
use crate::support::sh;

/// A program in C that locks a file with fcntl(2), `ofd` or `posix`, and runs a
/// command; its status is 1 if another process has the lock.
fn c_locker() -> Option<Program> {
    const SOURCE: &str = r#"
        #include <fcntl.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        #include <sys/wait.h>
        int main(int n, char **words) {
            struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
            int fd = open(words[2], O_RDWR | O_CREAT | O_CLOEXEC, 0600), status;
            if (n < 6) return 2;
            lock.l_start = atol(words[3]);
            lock.l_len = atol(words[4]);
            if (fcntl(fd, strcmp(words[1], "ofd") ? F_SETLK : F_OFD_SETLK, &lock)) return 1;
            if (fork() == 0) { execvp(words[5], words + 5); _exit(127); }
            wait(&status);
            return WEXITSTATUS(status);
        }"#;
    peers::c(SOURCE)
}

#[test]
fn flock_of_util_linux_and_ours_exclude_each_other() {
    let (_directory, file) = new_file();
    sh("flock \"$0\" ipc lock run -n \"$0\" -- true").word(&file).is(1, "", "");
    sh("ipc lock run \"$0\" -- flock -n \"$0\" true").word(&file).is(1, "", "");
    sh("flock -s \"$0\" ipc lock run -ns \"$0\" -- echo in").word(&file).is(0, "in\n", "");
    sh("exec 9>>\"$0\"; flock 9; ipc lock fd -n 9; echo $?; ipc lock unlock 9; flock -n \"$0\" true")
        .word(&file)
        .is(0, "0\n", "");
}

#[test]
fn record_locks_of_c_programs_and_ours_exclude_each_other() {
    let (_directory, file) = new_file();
    let Some(locker) = c_locker() else { return };
    for theirs in ["ofd", "posix"] {
        for ours in ["ofd", "posix"] {
            let line = "\"$1\" $2 \"$0\" 0 10 ipc lock run -n --kind $3 --range 9:5 \"$0\" -- true; echo $?
                ipc lock run --kind $3 --range 0:10 \"$0\" -- \"$1\" $2 \"$0\" 9 5 true; echo $?
                ipc lock run --kind $3 --range 0:10 \"$0\" -- \"$1\" $2 \"$0\" 10 5 echo in";
            sh(line).word(&file).word(locker.path()).word(theirs).word(ours).is(
                0,
                "1\n1\nin\n",
                "",
            );
        }
    }
}

#[test]
fn locks_of_python_and_ours_exclude_each_other() {
    let (_directory, file) = new_file();
    for (function, kind) in [("flock", "flock"), ("lockf", "posix"), ("lockf", "ofd")] {
        let theirs = format!(
            "import fcntl, sys
file = open(sys.argv[1], 'r+')
try: fcntl.{function}(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError: sys.exit(1)
import subprocess
sys.exit(subprocess.run(sys.argv[2:]).returncode)"
        );
        let line = "ipc lock run --kind $1 \"$0\" -- python3 -c \"$2\" \"$0\" true; echo $?
            python3 -c \"$2\" \"$0\" ipc lock run -n --kind $1 \"$0\" -- true; echo $?";
        sh(line).word(&file).word(kind).word(theirs).is(0, "1\n1\n", "");
    }
}
