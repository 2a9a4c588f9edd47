//! The format of ipc-queue(5), read and written by another implementation of that page.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use super::*;
use crate::support::Run;

/// A queue as the page describes it, in a file that no other process uses meanwhile.
struct Page(File);

const PUSH: u64 = 128;
const POP: u64 = 256;
const RING: u64 = 4096;

impl Page {
    fn u32(&self, at: u64) -> u32 {
        let mut bytes = [0; 4];
        self.0.read_exact_at(&mut bytes, at).unwrap();
        u32::from_ne_bytes(bytes)
    }

    fn u64(&self, at: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, at).unwrap();
        u64::from_ne_bytes(bytes)
    }

    fn capacity(&self) -> u64 {
        self.u64(16)
    }

    /// Position, messages and bytes of a side.
    fn state(&self, side: u64) -> [u64; 3] {
        let live = side + 72 + 24 * u64::from(self.u32(side + 64) & 1);
        [0, 8, 16].map(|field| self.u64(live + field))
    }

    /// Makes a state the live one, as a holder of the lock does.
    fn commit(&self, side: u64, state: [u64; 3]) {
        let seq = self.u32(side + 64);
        let next = side + 72 + 24 * u64::from(seq.wrapping_add(1) & 1);
        for (index, value) in state.iter().enumerate() {
            self.0.write_all_at(&value.to_ne_bytes(), next + 8 * index as u64).unwrap();
        }
        self.0.write_all_at(&seq.wrapping_add(1).to_ne_bytes(), side + 64).unwrap();
    }

    fn ring(&self, position: u64) -> u64 {
        RING + position % self.capacity()
    }

    fn messages(&self) -> Vec<Vec<u8>> {
        let (mut position, end) = (self.state(POP)[0], self.state(PUSH)[0]);
        let mut messages = Vec::new();
        while position != end {
            let length = u64::from(self.u32(self.ring(position)));
            assert_eq!(self.u32(self.ring(position) + 4), 1, "it is ready, and never claimed");
            let byte = |index| {
                let mut byte = [0];
                self.0.read_exact_at(&mut byte, self.ring(position + 16 + index)).unwrap();
                byte[0]
            };
            messages.push((0..length).map(byte).collect());
            position += 16 + length.next_multiple_of(8);
        }
        messages
    }

    fn push(&self, message: &[u8]) {
        let [position, messages, bytes] = self.state(PUSH);
        let length = message.len() as u64;
        self.0.write_all_at(&(length as u32).to_ne_bytes(), self.ring(position)).unwrap();
        self.0.write_all_at(&1_u32.to_ne_bytes(), self.ring(position) + 4).unwrap();
        for (index, byte) in message.iter().enumerate() {
            let at = self.ring(position + 16 + index as u64);
            self.0.write_all_at(&[*byte], at).unwrap();
        }
        let size = 16 + length.next_multiple_of(8);
        self.commit(PUSH, [position + size, messages + 1, bytes + length]);
    }
}

#[test]
fn another_implementation_of_the_page_reads_and_writes_the_same_queue() {
    let name = queue("4K");
    let path = format!("/dev/shm{}", &*name);
    let page = Page(File::options().read(true).write(true).open(&path).unwrap());
    assert_eq!(&fs::read(&path).unwrap()[..8], b"ipcqueue");
    assert_eq!((page.u32(8), page.u32(12), page.capacity()), (0x0102_0304, 1, 4096));
    // Often enough to go around the ring, with messages that are split at its end.
    for round in 0..60 {
        let ours = vec![b'a' + (round % 26) as u8; 37 + round];
        let text = String::from_utf8(ours.clone()).unwrap();
        ipc(&["queue", "push", &name, &text, ""]).is(0, "", "");
        assert_eq!(page.messages(), [ours, vec![]]);
        page.push(b"from outside");
        assert_eq!(stat(&name)["messages"], 3);
        ipc(&["queue", "pop", "--all", &name]).is(0, &format!("{text}\n\nfrom outside\n"), "");
        assert_eq!((page.state(POP), page.messages().len()), (page.state(PUSH), 0));
    }
    ipc(&["queue", "verify", &name]).is(0, "", "");
    ipc(&["queue", "close", &name]).is(0, "", "");
    assert_eq!(page.u32(448), 1);
}

#[test]
fn a_claim_is_a_locked_byte_and_a_number_of_attempts() {
    let name = queue("4K");
    ipc(&["queue", "push", &name, "x"]).is(0, "", "");
    let page =
        Page(File::options().read(true).write(true).open(format!("/dev/shm{}", &*name)).unwrap());
    let run = ["queue", "pop", "--exec", "-q", &name, "--", "false"];
    for attempts in 1..4 {
        ipc(&run).is(1, "", "");
        assert_eq!(page.u32(RING + 4), 2 | attempts << 8);
    }
    assert!(page.u64(RING + 8) > 0);
}

/// What the reader in Python, which keeps to the page, sees in a queue.
fn seen_by_reader(path: &str) -> Result<serde_json::Value, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/queue/reader.py");
    let output = Run::new("python3", &[script, path]).output();
    match code(&output) {
        0 => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        _ => Err(text(&output.stderr)),
    }
}

#[test]
fn a_reader_in_python_sees_what_stat_and_tap_see() {
    if !crate::peers::there("python3", &["--version"]) {
        return;
    }
    let name = queue("4K");
    let path = format!("/dev/shm{}", &*name);
    // Around the ring, with a message that is split at its end.
    let long = "x".repeat(1000);
    for round in 0..9 {
        ipc(&["queue", "push", &name, "a", &long, "", &round.to_string()]).is(0, "", "");
        let seen = seen_by_reader(&path).unwrap();
        let shown = stat(&name);
        for key in ["capacity", "messages", "bytes", "used", "pushed", "popped"] {
            assert_eq!(seen[key], shown[key], "{key}");
        }
        let messages: String = seen["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| format!("{}\n", record["message"].as_str().unwrap()))
            .collect();
        ipc(&["queue", "tap", &name]).is(0, &messages, "");
        ipc(&["queue", "pop", "--all", &name]).is(0, &messages, "");
    }
}

#[test]
fn a_reader_in_python_sees_claims_sleepers_and_the_end() {
    if !crate::peers::there("python3", &["--version"]) {
        return;
    }
    let name = queue("4K");
    let path = format!("/dev/shm{}", &*name);
    ipc(&["queue", "push", &name, "one", "two"]).is(0, "", "");
    ipc(&["queue", "pop", "--exec", "-q", &name, "--", "false"]).is(1, "", "");
    let directory = tempfile::tempdir().unwrap();
    let worker =
        ipc(&["queue", "pop", "--exec", &name, "--", "sh", "-c", "> begun; exec sleep 1000"]);
    let worker = worker.within(directory.path()).start();
    until("a COMMAND runs", || directory.path().join("begun").exists());
    let seen = seen_by_reader(&path).unwrap();
    let fact = |index: usize, key: &str| seen["records"][index][key].clone();
    assert_eq!(seen["redelivered"], 1);
    assert_eq!((fact(0, "state"), fact(0, "attempts")), ("taken".into(), 2.into()));
    assert_eq!((fact(0, "claimed"), fact(1, "claimed")), (true.into(), false.into()));
    assert_eq!((fact(1, "state"), fact(1, "attempts")), ("ready".into(), 0.into()));
    ipc(&["queue", "pop", &name]).is(0, "two\n", "");
    assert_eq!(seen_by_reader(&path).unwrap()["records"][1]["state"], "done");
    worker.signal(nix::sys::signal::Signal::SIGTERM);
    worker.finish();
    ipc(&["queue", "pop", &name]).is(0, "one\n", "");
    let (consumer, _log) = consumer(&name);
    until("it sleeps", || seen_by_reader(&path).unwrap()["consumer_sleeps"] == true);
    ipc(&["queue", "close", &name]).is(0, "", "");
    consumer.finish();
    assert_eq!(seen_by_reader(&path).unwrap()["closed"], true);
    // It refuses what ipc refuses.
    for (at, byte, reason) in [(12, 2, "another version"), (16, 1, "damaged"), (0, b'x', "not a")] {
        let copy = directory.path().join("copy");
        let mut bytes = fs::read(&path).unwrap();
        bytes[at] = byte;
        fs::write(&copy, bytes).unwrap();
        let refused = seen_by_reader(copy.to_str().unwrap()).unwrap_err();
        assert!(refused.contains(reason), "{refused}");
        assert_eq!(code(&ipc(&["queue", "stat"]).word(&copy).output()), 3);
    }
}
