//! `create --while`: objects that go with a COMMAND, whichever process is killed.

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::nouns::{self, Names};
use crate::peers;
use crate::support::{Name, Running, as_another_user, children, code, ipc, sh, text, until};

/// Objects of each noun and kind, not created yet, and a directory for the files of a test.
fn objects() -> (TempDir, Vec<(&'static str, Name)>) {
    let directory = tempfile::tempdir().unwrap();
    let objects = nouns::objects(directory.path());
    let mut objects: Vec<_> = objects.into_iter().map(|(noun, name)| (noun.name, name)).collect();
    objects.extend(nouns::with(Names::Memory).map(|noun| (noun.name, Name::new(noun.name))));
    let is_temporary = |noun: &str| {
        nouns::verb(noun, "create").is_some_and(|create| nouns::has(create, "temporary"))
    };
    objects.retain(|(noun, _)| is_temporary(noun));
    assert!(objects.len() >= 9);
    (directory, objects)
}

fn options(noun: &str) -> &'static [&'static str] {
    match noun {
        "shm" | "map" => &["--size", "8"],
        "queue" => &["--capacity", "4K"],
        _ => &[],
    }
}

fn exists(noun: &str, name: &str) -> bool {
    code(&ipc(&[noun, "stat", name]).output()) == 0
}

fn words<'a>(noun: &'a str, name: &'a str) -> Vec<&'a str> {
    [&[noun, "create", name, "--while"], options(noun)].concat()
}

/// A COMMAND that writes its process ID to a file, closes its output and sleeps.
const SLEEPS: [&str; 4] =
    ["--", "sh", "-c", "echo $$ >pid.new && mv pid.new pid && exec sleep 60 >&- 2>&-"];

/// Starts `ipc` with a COMMAND that sleeps; returns both.
fn start(directory: &Path, noun: &str, name: &str) -> (Running, Pid) {
    let path = directory.join("pid");
    let _ = fs::remove_file(&path);
    let running = ipc(&words(noun, name)).words(&SLEEPS).within(directory).start();
    until("the command runs", || path.exists());
    let pid = fs::read_to_string(path).unwrap().trim().parse().unwrap();
    (running, Pid::from_raw(pid))
}

#[test]
fn an_object_exists_while_its_command_runs_and_the_status_is_that_of_the_command() {
    let (_directory, objects) = objects();
    for (noun, name) in objects {
        let line =
            format!("[ \"$IPC_NAME\" = \"$0\" ] && ipc {noun} stat \"$0\" >/dev/null || exit 9");
        sh("exec ipc \"$@\"")
            .word("sh")
            .words(&words(noun, &name))
            .words(&["--", "sh", "-c", &line])
            .word(&*name)
            .is(0, "", "");
        assert!(!exists(noun, &name), "{noun} {}", &*name);
        let told = ipc(&words(noun, &name)).words(&["--", "sh", "-c", "echo out; exit 7"]);
        told.is(7, "out\n", "");
        assert!(!exists(noun, &name), "{noun} {}", &*name);
    }
}

#[test]
fn an_object_without_a_key_has_its_name_in_the_environment() {
    for noun in ["shm", "sem", "mq"] {
        let line = format!("echo $IPC_NAME; ipc {noun} stat $IPC_NAME >/dev/null");
        let run = sh("exec ipc \"$@\"").word("sh").words(&words(noun, "sysv:0"));
        let name = run.words(&["--", "sh", "-c", &line]).succeeds();
        assert!(name.starts_with("sysv:id="), "{name}");
        assert!(!exists(noun, name.trim_end()), "{noun}");
    }
}

#[test]
fn if_ipc_is_killed_the_object_stays_until_the_command_ends() {
    let (directory, objects) = objects();
    for (noun, name) in objects {
        let (running, command) = start(directory.path(), noun, &name);
        running.signal(Signal::SIGKILL);
        assert_eq!(code(&running.finish()), 137);
        assert!(exists(noun, &name), "{noun} {}", &*name);
        kill(command, Signal::SIGKILL).unwrap();
        until("the object is removed", || !exists(noun, &name));
    }
}

#[test]
fn if_the_command_is_killed_the_object_is_gone_when_ipc_ends() {
    let (directory, objects) = objects();
    for (noun, name) in objects {
        let (running, command) = start(directory.path(), noun, &name);
        kill(command, Signal::SIGKILL).unwrap();
        assert_eq!(code(&running.finish()), 137);
        assert!(!exists(noun, &name), "{noun} {}", &*name);
    }
}

#[test]
fn if_ipc_and_its_command_are_killed_at_once_the_object_goes() {
    let (directory, objects) = objects();
    for (noun, name) in objects {
        let path = directory.path().join("pid");
        let _ = fs::remove_file(&path);
        let run = sh("exec setsid ipc \"$@\"").word("sh").words(&words(noun, &name));
        let running = run.words(&SLEEPS).within(directory.path()).start();
        until("the command runs", || path.exists());
        // setsid is not the leader of a group, and becomes ipc.
        killpg(Pid::from_raw(running.pid()), Signal::SIGKILL).unwrap();
        until("ipc has ended", || running.is_zombie());
        until("the object is removed", || !exists(noun, &name));
    }
}

#[test]
fn if_the_second_process_is_killed_the_object_goes_all_the_same() {
    let (directory, objects) = objects();
    for (noun, name) in objects {
        let (running, command) = start(directory.path(), noun, &name);
        let is_command = |pid: &i32| *pid == command.as_raw();
        let others = children(running.pid()).into_iter().filter(|pid| !is_command(pid));
        let keepers: Vec<_> = others.collect();
        assert_eq!(keepers.len(), 1);
        let comm = fs::read_to_string(format!("/proc/{}/comm", keepers[0])).unwrap();
        assert_eq!(comm, "ipc-keeper\n");
        kill(Pid::from_raw(keepers[0]), Signal::SIGKILL).unwrap();
        kill(command, Signal::SIGTERM).unwrap();
        assert_eq!(code(&running.finish()), 143);
        assert!(!exists(noun, &name), "{noun} {}", &*name);
    }
}

#[test]
fn a_signal_goes_to_the_command_and_the_object_goes_with_it() {
    let (directory, objects) = objects();
    for (noun, name) in objects {
        let (running, _) = start(directory.path(), noun, &name);
        running.signal(Signal::SIGTERM);
        assert_eq!(code(&running.finish()), 143);
        assert!(!exists(noun, &name), "{noun} {}", &*name);
    }
}

#[test]
fn an_object_that_has_the_name_by_then_stays() {
    let (directory, objects) = objects();
    for (noun, name) in objects {
        for kills in [false, true] {
            let (running, command) = start(directory.path(), noun, &name);
            ipc(&[noun, "rm", &name]).is(0, "", "");
            ipc(&[noun, "create", &name]).words(options(noun)).is(0, "", "");
            if kills {
                running.signal(Signal::SIGKILL);
            }
            kill(command, Signal::SIGTERM).unwrap();
            running.finish();
            // The keeper of a killed ipc may take a moment.
            crate::support::pause(std::time::Duration::from_millis(if kills { 200 } else { 0 }));
            ipc(&[noun, "rm", &name]).is(0, "", "");
        }
    }
}

#[test]
fn an_object_that_exists_already_stays_and_no_command_runs() {
    let (_directory, objects) = objects();
    for (noun, name) in objects {
        ipc(&[noun, "create", &name]).words(options(noun)).is(0, "", "");
        let told = format!(
            "ipc: {noun} create: {}: File exists\nhint: the object of --while is a new one\n",
            &*name
        );
        ipc(&words(noun, &name)).words(&["--", "echo", "ran"]).is(125, "", &told);
        assert!(exists(noun, &name), "{noun}");
        let output = ipc(&words(noun, &name)).words(&["-e", "--", "true"]).output();
        assert_eq!(code(&output), 2, "{}", text(&output.stderr));
        assert_eq!(code(&ipc(&words(noun, &name)).output()), 2);
    }
}

#[test]
fn a_user_without_permission_to_its_own_object_has_it_removed() {
    let (directory, objects) = objects();
    fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777))
        .unwrap();
    for (noun, name) in objects {
        let Some(run) = as_another_user(&words(noun, &name)) else { return };
        let output = run.words(&["-m", "0000", "--", "sh", "-c", "exit 7"]).output();
        // A POSIX queue cannot be found again without a mounted /dev/mqueue, and then none is created.
        let is_unmounted = noun == "mq" && !Path::new("/dev/mqueue").exists();
        let is_posix = name.starts_with('/');
        let status = if is_unmounted && is_posix { 125 } else { 7 };
        assert_eq!(code(&output), status, "{noun} {}", text(&output.stderr));
        assert!(!exists(noun, &name), "{noun} {}", &*name);
    }
}

#[test]
fn a_command_that_cannot_run_leaves_no_object() {
    let (directory, objects) = objects();
    let [text_file, bad] = ["text", "bad"].map(|file| directory.path().join(file));
    fs::write(&text_file, "echo \"run by $0 $1\"\n").unwrap();
    fs::write(&bad, "#!/no/such/interpreter\n").unwrap();
    for path in [&text_file, &bad] {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    for (noun, name) in objects {
        let run = |command: &str| {
            let output = ipc(&words(noun, &name)).words(&["--", command, "x"]).output();
            assert!(!exists(noun, &name), "{noun} {command}");
            (code(&output), text(&output.stdout))
        };
        assert_eq!(run("/no/such/command").0, 127);
        assert_eq!(run("/etc/passwd").0, 126);
        assert_eq!(run(bad.to_str().unwrap()).0, 127);
        // A script without #! is tried twice.
        let path = text_file.to_str().unwrap();
        assert_eq!(run(path), (0, format!("run by {path} x\n")));
    }
}

#[test]
fn several_fifos_go_together_or_are_not_created() {
    let directory = tempfile::tempdir().unwrap();
    sh("ipc mkfifo a b --while -- sh -c 'ls; echo $IPC_NAME'").within(directory.path()).is(
        0,
        "a\nb\na\n",
        "",
    );
    let output = sh("ipc mkfifo a no/b --while -- echo ran; ls").within(directory.path()).output();
    assert_eq!((text(&output.stdout), code(&output)), (String::new(), 0));
    assert!(text(&output.stderr).contains("no/b: No such file or directory"));
    // The directory of a relative path is held.
    let line = "mkdir d e && cd d && ipc mkfifo p --while -- sh -c 'mv ../d ../f; cd /'; ls ../f";
    sh(line).within(directory.path()).is(0, "", "");
}

#[test]
fn the_second_process_keeps_no_descriptor_of_the_caller() {
    let name = Name::new("sem");
    let directory = tempfile::tempdir().unwrap();
    // The output ends although the command runs on.
    let line = "ipc sem create $0 --while -- sh -c 'echo $$ >pid; exec sleep 60 >&- 2>&-' & \
                until_true [ -s pid ]; kill -9 $!; wait $! 2>/dev/null; echo $?";
    let output = sh(line).word(&*name).within(directory.path()).output();
    assert_eq!(text(&output.stdout), "137\n");
    assert!(exists("sem", &name));
    let pid = fs::read_to_string(directory.path().join("pid")).unwrap();
    kill(Pid::from_raw(pid.trim().parse().unwrap()), Signal::SIGKILL).unwrap();
    until("the object is removed", || !exists("sem", &name));
}

#[test]
fn a_command_has_no_descriptor_of_ipc() {
    let name = Name::new("sem");
    let sockets = "ls -l /proc/self/fd | grep -c socket:";
    let output = ipc(&["sem", "create", &name, "--while", "--", "sh", "-c", sockets]).output();
    assert_eq!(text(&output.stdout), "0\n");
}

#[test]
fn the_first_process_of_a_pid_namespace_keeps_the_lifetime_too() {
    if !peers::may_unshare(&["--pid", "--fork"]) {
        return;
    }
    let name = Name::new("shm");
    let line = "exec unshare --pid --fork --kill-child ipc shm create $0 --size 8 --while -- sh -c 'exit 5'";
    sh(line).word(&*name).is(5, "", "");
    assert!(!exists("shm", &name));
}

#[test]
fn if_ipc_is_killed_at_any_call_no_object_remains() {
    for (noun, name) in [("mq", Name::system_v("mq")), ("shm", Name::new("shm"))] {
        let words = [words(noun, &name), vec!["--", "true"]].concat();
        let Some(calls) = peers::system_calls(&words) else { return };
        let first = calls.iter().position(|call| call.line.starts_with("socketpair")).unwrap();
        for call in &calls[first..] {
            call.signals("KILL", &words).output();
            until("the object is removed", || !exists(noun, &name));
        }
    }
}

#[test]
fn without_a_descriptor_the_error_names_the_limit() {
    let name = Name::new("sem");
    let said = "ipc: sem create: Too many open files\n\
        hint: 'prlimit --nofile' shows how many files a process may have open\n";
    sh("ulimit -n 4; exec ipc sem create $0 --while -- true").word(&*name).is(125, "", said);
    assert!(!exists("sem", &name));
}
