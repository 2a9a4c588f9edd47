//! Records of several writers: `ipc fifo write --records` and `--lock`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use nix::sys::signal::Signal;

use super::{fifo, reader};
use crate::support::{Running, as_another_user, bash, code, ipc, sh, text, until};

/// Records of a writer: each has its writer and its number, and a length of its own.
fn records(writer: usize, count: usize, longest: usize) -> Vec<u8> {
    let mut records = Vec::new();
    for number in 0..count {
        let head = format!("{writer} {number} ");
        let length = (writer * 7919 + number * 613) % (longest - head.len());
        records.extend_from_slice(head.as_bytes());
        records.resize(records.len() + length, b'a' + writer as u8);
        records.push(b'\n');
    }
    records
}

/// Checks that every record of every writer is there, whole and in the order of its writer.
fn check(output: &[u8], writers: usize, count: usize, longest: usize) {
    let mut next: BTreeMap<usize, usize> = BTreeMap::new();
    let mut expected: Vec<_> = (0..writers)
        .map(|writer| records(writer, count, longest))
        .map(|records| records.split_inclusive(|&b| b == b'\n').map(<[u8]>::to_vec).collect())
        .map(|records: Vec<_>| records.into_iter())
        .collect();
    for line in output.split_inclusive(|&b| b == b'\n') {
        let writer = text(line).split(' ').next().and_then(|word| word.parse().ok());
        let writer: usize = writer.unwrap_or_else(|| panic!("torn: {}", text(line)));
        let record = expected[writer].next();
        assert!(record.as_deref() == Some(line), "torn, lost or twice: {}", text(line));
        *next.entry(writer).or_default() += 1;
    }
    assert!((0..writers).all(|writer| next.get(&writer) == Some(&count)), "lost: {next:?}");
}

#[test]
fn sixteen_writers_lose_and_tear_no_record() {
    const WRITERS: usize = 16;
    const EACH: usize = 100_000 / WRITERS;
    const LONGEST: usize = 200;
    let directory = fifo();
    for writer in 0..WRITERS {
        let file = directory.path().join(format!("in{writer}"));
        fs::write(file, records(writer, EACH, LONGEST)).unwrap();
    }
    // The FIFO stays open until all writers have ended, however late one opens it.
    let line = "ipc fifo cat p & exec 9>p; for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
        ipc fifo write --records p 9>&- < in$i & writers=\"$writers $!\"; done
        wait $writers; exec 9>&-; wait";
    let output = sh(line).within(directory.path()).output();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    check(&output.stdout, WRITERS, EACH, LONGEST);
}

#[test]
fn records_as_long_as_a_piece_are_never_mixed() {
    let directory = fifo();
    for writer in 0..4 {
        let file = directory.path().join(format!("in{writer}"));
        fs::write(file, records(writer, 200, 4095)).unwrap();
    }
    let line = "ipc fifo cat p & exec 9>p; for i in 0 1 2 3; do
        ipc fifo write --records p 9>&- < in$i & writers=\"$writers $!\"; done
        wait $writers; exec 9>&-; wait";
    let output = sh(line).within(directory.path()).output();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    check(&output.stdout, 4, 200, 4095);
}

#[test]
fn the_error_of_a_record_that_is_too_long_has_its_number() {
    let directory = fifo();
    let reader = reader(&directory, &[]);
    let input = format!("short\n{}\nnever\n", "x".repeat(4096));
    ipc(&["fifo", "write", "--records", "p"]).within(directory.path()).input(input).is(
        3,
        "",
        "ipc: fifo write: p: record 2 of 4096 bytes is longer than a pipe keeps in one piece \
         (4095)\n",
    );
    assert_eq!(text(&reader.finish().stdout), "short\n");
}

#[test]
fn the_error_of_an_operand_that_is_too_long_has_its_number() {
    let directory = fifo();
    let reader = reader(&directory, &[]);
    let long = "x".repeat(4096);
    ipc(&["fifo", "write", "--records", "p", "short", &long, &long]).within(directory.path()).is(
        3,
        "",
        "ipc: fifo write: p: message 2 of 4096 bytes is longer than a pipe keeps in one piece \
         (4095)\n",
    );
    assert_eq!(text(&reader.finish().stdout), "");
}

#[test]
fn under_the_lock_records_of_any_length_are_never_mixed() {
    const LONGEST: usize = 40_000;
    let directory = fifo();
    for writer in 0..4 {
        let file = directory.path().join(format!("in{writer}"));
        fs::write(file, records(writer, 100, LONGEST)).unwrap();
    }
    let line = "ipc fifo cat p & exec 9>p; for i in 0 1 2 3; do
        ipc fifo write --lock p 9>&- < in$i & writers=\"$writers $!\"; done
        wait $writers; exec 9>&-; wait";
    let output = sh(line).within(directory.path()).output();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    check(&output.stdout, 4, 100, LONGEST);
}

#[test]
fn the_record_of_a_killed_writer_is_reported_and_ended() {
    let directory = fifo();
    let path = directory.path().join("p");
    let mut end = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let long = [vec![b'x'; 200_000], vec![b'\n']].concat();
    let write = || ipc(&["fifo", "write", "--lock"]).word(&path);
    let writer = write().input(long).start();
    until("the FIFO is full", || {
        ipc(&["fifo", "stat", "--json"]).word(&path).succeeds().contains("\"waiting\":65536")
    });
    writer.wait_until_asleep();
    // Nobody writes between.
    write().words(&["-n", "other"]).is(1, "", "");
    writer.signal(Signal::SIGKILL);
    writer.finish();
    let next = write().words(&["whole", "second"]).start();
    let mut bytes = vec![0; 65_536];
    end.read_exact(&mut bytes).unwrap();
    let output = next.finish();
    let name = path.display();
    let said = format!("ipc: fifo write: {name}: the record before record 1 is cut short\n");
    assert_eq!((code(&output), text(&output.stderr)), (0, said));
    let mut rest = [0; 14];
    end.read_exact(&mut rest).unwrap();
    assert_eq!(&rest, b"\nwhole\nsecond\n");
    // It is said once.
    write().word("third").is(0, "", "");
}

#[test]
fn a_record_that_times_out_is_reported_by_its_writer_and_by_the_next() {
    let directory = fifo();
    let long = "x".repeat(100_000);
    fs::write(directory.path().join("long"), &long).unwrap();
    let line = "exec 9<>p; ipc fifo write --lock -t 50ms p < long; echo $?
        ipc fifo write --lock -qn p < long; echo $?; exec 8<p
        cat <&8 > out 9>&- & ipc fifo write --lock p whole; exec 9>&- 8<&-; wait; tail -n 1 out";
    bash(line).within(directory.path()).is(
        0,
        "124\n1\nwhole\n",
        "ipc: fifo write: p: record 1 is cut short after 65536 of 100001 bytes\n\
         ipc: fifo write: p: timed out\n\
         ipc: fifo write: p: the record before record 1 is cut short\n",
    );
}

/// A FIFO to which every user may write, and its directory.
fn fifo_for_all() -> (tempfile::TempDir, std::path::PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let directory = fifo();
    let path = directory.path().join("p");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
    (directory, path)
}

#[test]
fn another_user_keeps_records_whole_too() {
    let (directory, path) = fifo_for_all();
    let words = ["fifo", "write", "--lock", path.to_str().unwrap()];
    let Some(writer) = as_another_user(&words) else { return };
    let reader = reader(&directory, &[]);
    writer.input("x".repeat(100_000)).is(0, "", "");
    assert_eq!(reader.finish().stdout.len(), 100_001);
}

/// Fills the FIFO with a part of a record of another user; returns the writer.
fn begun_by_another_user(path: &std::path::Path, options: &[&str]) -> Option<Running> {
    let words = [&["fifo", "write", "--lock", path.to_str().unwrap()], options].concat();
    let writer = as_another_user(&words)?.input("x".repeat(200_000)).start();
    until("the FIFO is full", || {
        ipc(&["fifo", "stat", "--json"]).word(path).succeeds().contains("\"waiting\":65536")
    });
    Some(writer)
}

#[test]
fn the_record_of_a_killed_writer_of_another_user_is_reported_and_ended_at_once() {
    let (_directory, path) = fifo_for_all();
    let mut end = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let Some(writer) = begun_by_another_user(&path, &[]) else { return };
    writer.wait_until_asleep();
    writer.signal(Signal::SIGKILL);
    // The record has the lock until it has an end.
    let write = || ipc(&["fifo", "write", "--lock"]).word(&path);
    write().words(&["-n", "other"]).is(1, "", "");
    let mut bytes = vec![0; 65_537];
    end.read_exact(&mut bytes).unwrap();
    assert_eq!(bytes.last(), Some(&b'\n'));
    let said = format!(
        "ipc: fifo write: {}: record 1 is cut short, because its writer was killed\n",
        path.display()
    );
    assert_eq!(text(&writer.finish().stderr), said);
    write().words(&["whole"]).is(0, "", "");
    let mut rest = [0; 6];
    end.read_exact(&mut rest).unwrap();
    assert_eq!(&rest, b"whole\n");
}

#[test]
fn the_record_of_another_user_that_times_out_is_ended() {
    let (_directory, path) = fifo_for_all();
    let mut end = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let Some(writer) = begun_by_another_user(&path, &["-t", "50ms"]) else { return };
    let reading = std::thread::spawn(move || {
        let mut bytes = vec![0; 65_537];
        // The reader comes after the timeout.
        crate::support::pause(std::time::Duration::from_millis(300));
        end.read_exact(&mut bytes).unwrap();
        bytes.pop()
    });
    let output = writer.finish();
    let name = path.display();
    assert_eq!(
        (code(&output), text(&output.stderr)),
        (
            124,
            format!(
                "ipc: fifo write: {name}: record 1 is cut short after 65536 of 200001 bytes\n\
                 ipc: fifo write: {name}: timed out\n"
            )
        )
    );
    assert_eq!(reading.join().unwrap(), Some(b'\n'));
}

#[test]
fn another_user_ends_a_record_of_the_owner_once() {
    let (_directory, path) = fifo_for_all();
    let mut end = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let writer = ipc(&["fifo", "write", "--lock"]).word(&path).input("x".repeat(200_000)).start();
    until("the FIFO is full", || {
        ipc(&["fifo", "stat", "--json"]).word(&path).succeeds().contains("\"waiting\":65536")
    });
    writer.signal(Signal::SIGKILL);
    writer.finish();
    end.read_exact(&mut vec![0; 65_536]).unwrap();
    let name = path.to_str().unwrap();
    let Some(other) = as_another_user(&["fifo", "write", "--lock", name, "one", "two"]) else {
        return;
    };
    let said = format!("ipc: fifo write: {name}: the record before record 1 is cut short\n");
    other.is(0, "", &said);
    let mut rest = [0; 9];
    end.read_exact(&mut rest).unwrap();
    assert_eq!(&rest, b"\none\ntwo\n");
}
