//! Every command that waits, under many signals.
//!
//! A command that only waits keeps the default action of USR1, which ends it. So there are three
//! facts to show. If the caller ignores USR1, any number of them changes nothing, and neither do STOP
//! and CONT, which end some system calls early. If the caller does not ignore it, one of them ends the
//! command, as any program, and breaks nothing. A verb whose COMMAND runs passes the signal on.

use nix::sys::signal::Signal;

use crate::nouns::{Scene, commands, is_asleep, waits};
use crate::support::{code, rounds, text, until};

#[test]
fn ignored_signals_and_stops_disturb_no_wait() {
    for wait in &waits() {
        let scene = Scene::of(wait);
        let waiter = scene.start("trap '' USR1;", &wait.wait);
        for _ in 0..rounds(20) {
            for _ in 0..50 {
                waiter.signal(Signal::SIGUSR1);
            }
            waiter.stop_and_continue();
            until(&wait.wait, || is_asleep(&waiter));
        }
        scene.release(waiter, wait);
    }
}

#[test]
fn a_signal_that_is_not_ignored_ends_a_wait_and_breaks_nothing_for_the_next() {
    for wait in &waits() {
        let scene = Scene::of(wait);
        let waiter = scene.start("", &wait.wait);
        waiter.signal(Signal::SIGUSR1);
        let ended = waiter.finish();
        let seen = (code(&ended), text(&ended.stdout), text(&ended.stderr));
        assert_eq!(seen, (138, String::new(), String::new()), "{}", wait.wait);
        scene.release(scene.start("", &wait.wait), wait);
    }
}

#[test]
fn a_command_gets_the_signals_of_a_storm_and_its_status_is_passed_on() {
    let command = "trap 'echo hit >>hits' USR1; trap 'exit 5' TERM; echo >ready
        while :; do sleep 0.01; done";
    for line in commands() {
        let scene = Scene::new(line);
        assert_eq!(code(&scene.run("ipc sem create --value 1 $name", 0)), 0);
        let path = |name: &str| scene.directory.path().join(name);
        let running = scene.shell(&format!("exec {line} -c \"$0\"")).word(command).start();
        until("the command listens", || path("ready").exists());
        for _ in 0..50 * rounds(20) {
            running.signal(Signal::SIGUSR1);
        }
        until("the command gets a signal", || path("hits").exists());
        running.signal(Signal::SIGTERM);
        let ended = running.finish();
        assert_eq!((code(&ended), text(&ended.stdout)), (5, String::new()), "{line}");
    }
}
