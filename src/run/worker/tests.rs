//! A worker with a queue in memory, which keeps the count of attempts with each message.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard};

use super::*;
use crate::sys::memfd;
use crate::sys::poll;

/// The messages of a queue in memory, each with its attempts, and a record of all calls.
#[derive(Debug, Default)]
struct Memory {
    messages: Mutex<VecDeque<(String, u32)>>,
    calls: Mutex<Vec<String>>,
}

impl Memory {
    fn of(messages: &[(&str, u32)]) -> Arc<Self> {
        let messages = messages.iter().map(|&(message, attempts)| (message.into(), attempts));
        Arc::new(Self { messages: Mutex::new(messages.collect()), ..Self::default() })
    }

    fn messages(&self) -> MutexGuard<'_, VecDeque<(String, u32)>> {
        self.messages.lock().unwrap()
    }

    fn called(&self, call: &str, message: &str) {
        self.calls.lock().unwrap().push(format!("{call} {message}"));
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

struct Opened(Arc<Memory>);

struct Opener(Arc<Memory>);

impl Source for Opener {
    type Queue = Opened;

    fn open(&self) -> anyhow::Result<Opened> {
        Ok(Opened(Arc::clone(&self.0)))
    }
}

impl Queue for Opened {
    type Claim = (String, u32);

    fn claim(&mut self) -> Result<Option<Self::Claim>, Failure> {
        Ok(self.0.messages().pop_front())
    }

    fn wait(&mut self, stop: &Bell, deadline: Deadline) -> Result<Waited, Failure> {
        Ok(poll::any_readable(&[stop.as_fd()], deadline)?)
    }

    fn begin(&mut self, claim: &mut Self::Claim) -> Result<u32, Failure> {
        claim.1 += 1;
        self.0.called("begin", &format!("{} {}", claim.0, claim.1));
        Ok(claim.1)
    }

    fn input(&self, claim: &Self::Claim) -> Result<OwnedFd, Errno> {
        memfd::with(claim.0.as_bytes())
    }

    fn variables(&self, claim: &Self::Claim) -> Vec<(&'static str, Vec<u8>)> {
        vec![("MESSAGE", claim.0.clone().into_bytes())]
    }

    fn identity(&self, claim: &Self::Claim) -> u64 {
        claim.0.len() as u64
    }

    fn acknowledge(&mut self, claim: Self::Claim) -> Result<(), Failure> {
        self.0.called("acknowledge", &claim.0);
        Ok(())
    }

    fn put_back(&mut self, claim: &Self::Claim, _: &Bell, _: Deadline) -> Result<Waited, Failure> {
        self.0.called("put back", &claim.0);
        self.0.messages().push_back(claim.clone());
        Ok(Waited::Done(()))
    }

    fn bury(&mut self, claim: &Self::Claim, _: &Bell, _: Deadline) -> Result<Waited, Failure> {
        self.0.called("bury", &claim.0);
        Ok(Waited::Done(()))
    }

    fn give_up(&mut self, claim: Self::Claim) -> Result<&'static str, Failure> {
        self.0.called("give up", &claim.0);
        Ok("stays claimable")
    }

    fn close(&mut self, _: &Bell) -> Result<(), Failure> {
        Ok(())
    }
}

fn supply() -> Supply {
    Supply {
        name: "memory".into(),
        count: u64::MAX,
        ends_when_empty: true,
        timeout: None,
        timed_out: Failure::timed_out(),
    }
}

fn plan(line: &str, attempts: u32, last_resort: LastResort) -> Plan {
    Plan {
        command: Command::new(&["sh".into(), "-c".into(), line.into()]).unwrap(),
        jobs: 2,
        attempts,
        retry_delay: Duration::from_millis(5),
        last_resort,
        limits: Limits::default(),
        waits_for_children: false,
    }
}

/// Runs a worker that prints nothing; returns its end, and the calls.
fn work(memory: &Arc<Memory>, plan: Plan) -> (Ended, Vec<String>) {
    let output = Output::new(
        ["", "test"],
        crate::io::output::Verbosity::Quiet,
        crate::io::output::Destinations::of_process(),
    );
    let ended = run(Opener(Arc::clone(memory)), supply(), plan, &output).unwrap();
    (ended, memory.calls())
}

#[test]
fn attempts_that_the_queue_has_counted_before_count() {
    let memory = Memory::of(&[("a", 2)]);
    let (ended, calls) = work(&memory, plan("exit $IPC_ATTEMPT", 4, LastResort::GiveUp));
    assert_eq!(ended, Ended::Exit(Exit::Command(4)));
    assert_eq!(calls, ["begin a 3", "begin a 4", "give up a"]);
}

#[test]
fn a_message_is_acknowledged_after_its_command_has_succeeded() {
    let memory = Memory::of(&[("a", 0)]);
    let line = "[ \"$(cat)\" = \"$MESSAGE\" ] && [ $IPC_ATTEMPT = 2 ]";
    let (ended, calls) = work(&memory, plan(line, 2, LastResort::Bury("dead".into())));
    assert_eq!(ended, Ended::Exit(Exit::Done));
    assert_eq!(calls, ["begin a 1", "begin a 2", "acknowledge a"]);
}

#[test]
fn the_last_resort_follows_the_last_attempt() {
    for (last_resort, call) in
        [(LastResort::Bury("dead".into()), "bury a"), (LastResort::PutBack, "put back a")]
    {
        let memory = Memory::of(&[("a", 0)]);
        let plan = Plan { jobs: 1, ..plan("exit 3", 1, last_resort) };
        let output = Output::new(
            ["", "test"],
            crate::io::output::Verbosity::Quiet,
            crate::io::output::Destinations::of_process(),
        );
        let supply = Supply { count: 1, ..supply() };
        let ended = run(Opener(Arc::clone(&memory)), supply, plan, &output).unwrap();
        assert_eq!(ended, Ended::Exit(Exit::Command(3)));
        assert_eq!(memory.calls(), ["begin a 1", call]);
    }
}

#[test]
fn a_command_that_cannot_be_started_sends_its_message_back_and_ends_the_worker() {
    let memory = Memory::of(&[("a", 0)]);
    let missing = Plan {
        // The file exists, and its argument is longer than the kernel allows.
        command: Command::new(&["/proc/self/exe".into(), "x".repeat(4 << 20).into()]).unwrap(),
        ..plan("", 1, LastResort::GiveUp)
    };
    let output = Output::new(
        ["", "test"],
        crate::io::output::Verbosity::Quiet,
        crate::io::output::Destinations::of_process(),
    );
    let error = run(Opener(Arc::clone(&memory)), supply(), missing, &output).unwrap_err();
    assert_eq!(Exit::of(&error), Exit::CommandNotExecutable);
    assert_eq!(memory.messages().len(), 1);
}

#[test]
fn a_worker_leaves_no_threads_descriptors_or_masks_behind() {
    let state = || {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let kept = |line: &&str| line.starts_with("Sig") && !line.starts_with("SigQ");
        status.lines().filter(kept).map(str::to_owned).collect::<Vec<_>>()
    };
    let messages: Vec<(&str, u32)> = vec![("a", 0); 20];
    let before = state();
    let memory = Memory::of(&messages);
    let (ended, calls) = work(&memory, plan("exit 0", 1, LastResort::GiveUp));
    assert_eq!(ended, Ended::Exit(Exit::Done));
    assert_eq!(calls.iter().filter(|call| *call == "acknowledge a").count(), 20);
    assert_eq!(Arc::strong_count(&memory), 1, "all threads have ended");
    let after = state();
    assert_eq!(before.first(), after.first());
    assert_eq!(before[1..3], after[1..3]);
}
