//! File systems on which a spool keeps its promises.

use super::Spool;
use crate::support::{Run, skipped};

/// A line of shell on a file system of its own, with its `mount` in a mount namespace of its own. The
/// file system is at `m`, and the line runs in it. `None` if this user mounts nothing.
fn mounted(spool: &Spool, mount: &str, line: &str) -> Option<Run> {
    if !nix::unistd::Uid::effective().is_root() {
        skipped("only root mounts file systems");
        return None;
    }
    let unshared = |script: String| spool.sh("exec unshare -m sh -c \"$0\"").word(script);
    let output = unshared(format!("set -e; mkdir -p m; {mount}")).output();
    if !output.status.success() {
        skipped(&format!("this is not possible here: {mount}"));
        return None;
    }
    Some(unshared(format!("set -e; {mount}; cd m; {line}")))
}

/// What a spool does, in one line of shell.
const ALL: &str = "ipc spool create s
    echo a | ipc spool put --name a s
    yes x | head -n 200 | ipc spool put --each-line s >/dev/null
    ipc spool put --dedupe a s </dev/null
    ipc spool take s -- sh -c 'exit 3' || echo failed $?
    ipc spool put --dedupe a s </dev/null
    ipc spool requeue s a
    ipc spool take --attempts 2 s -- sh -c 'cat; ipc spool put --dedupe a s </dev/null'
    line='mkdir busy-$IPC_SPOOL_NAME && echo x >>done && rmdir busy-$IPC_SPOOL_NAME'
    ipc spool take --all --jobs 2 s -- sh -c \"$line\" & ipc spool take --all s -- sh -c \"$line\"
    wait $!; grep -c x done
    ipc spool take -t 10s s -- cat & sleep 0.2; echo b | ipc spool put --dedupe a s >/dev/null; wait $!
    find s -type f | grep -v s/done
    ipc spool rm s; ls | grep -v lost";

#[test]
fn a_spool_is_the_same_on_each_file_system() {
    let image = "truncate -s 64M image && mkfs.ext4 -q image && mount -o loop image m";
    let layers = "mount -t tmpfs tmpfs m && mkdir m/1 m/2 m/3 m/m && cd m &&
        mount -t overlay -o lowerdir=1,upperdir=2,workdir=3 overlay m";
    for mount in ["true", "mount -t tmpfs tmpfs m", image, layers] {
        let spool = Spool::new();
        let Some(run) = mounted(&spool, mount, ALL) else { continue };
        let errors = [
            "put: s: a: is there already",
            "take: s: sh ended with status 3; the message goes to failed/",
            "put: s: a: is there already",
            "put: s: a: is there already",
        ]
        .map(|line| format!("ipc: spool {line}\n"));
        run.is(0, "a\na\nfailed 3\na\na\na\n200\nb\ns/spool\ndone\n", &errors.concat());
    }
}

/// Overlayfs makes a copy of a file of the lower layer when it is renamed, and the copy has one link.
#[test]
fn a_name_is_kept_for_one_message_where_a_copy_loses_its_link() {
    let same = "mount -t tmpfs tmpfs m && mkdir m/0 m/1 m/2 m/m && cp -a s m/0 && cd m &&
        mount -t overlay -o lowerdir=0,upperdir=1,workdir=2 overlay m";
    let other = "mount -t tmpfs tmpfs m && mkdir m/1 m/2 m/m &&
        mount -t overlay -o lowerdir=.,upperdir=m/1,workdir=m/2 overlay m/m && cd m";
    for mount in [same, other] {
        let spool = Spool::new();
        spool.put(&["--name", "a"], "");
        spool.take("exit 1").assert().code(1);
        for name in ["b", "c"] {
            spool.put(&["--name", name], name);
        }
        let line =
            "ipc spool take -q s -- sh -c 'exit 3' || ipc spool ls --failed --noheadings -o name s
            ipc spool put --dedupe b s </dev/null
            ipc spool requeue s b; ipc spool take s -- sh -c 'cat; echo'
            echo 2 | ipc spool put --name b s
            ipc spool rm s a; ipc spool put --name a s </dev/null
            ipc spool rm s c; ipc spool put --name c s </dev/null
            ipc spool put -q --dedupe b s </dev/null; ls s/names
            ipc spool take --all s -- sh -c 'echo $IPC_SPOOL_NAME'
            ls s/names s/quarantine";
        let Some(run) = mounted(&spool, mount, line) else { continue };
        let there = "ipc: spool put: s: b: is there already\n";
        run.is(0, "a\nb\nb\nb\nb\na\nc\nb\na\nb\nc\nb\na\nc\ns/names:\n\ns/quarantine:\n", there);
    }
}
