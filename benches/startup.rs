//! What one short command costs as a whole process, in relation to /bin/true.
//!
//! The target: at most 0.3 in the static build, at most 1.3 in the ordinary one.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::process::Command;
use std::time::Duration;

const ROUNDS: usize = 500;

fn main() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let builds = support::builds(directory.path());
    let name = format!("/ipc-bench-{}", std::process::id());
    let ipc = |words: &[&str]| Command::new(&builds[0].1).args(words).arg(&name).status();
    ipc(&["sem", "create"]).expect("it runs");
    ipc(&["mq", "create", "--max-msgs", "2", "--msg-size", "16"]).expect("it runs");

    let rounds = support::scaled(ROUNDS);
    println!("{rounds} interleaved runs, medians of the ratio to /bin/true\n");
    println!(
        "{:<28}{}",
        "",
        builds.iter().map(|(build, _)| format!("{build:>8}")).collect::<String>()
    );
    for words in [&["sem", "value"][..], &["sem", "post"], &["mq", "send", "-n"]] {
        let mut contenders: Vec<Box<dyn FnMut() -> Duration>> =
            vec![Box::new(|| support::time(&mut Command::new("/bin/true")))];
        for (_, path) in &builds {
            let mut command = Command::new(path);
            command.args(words).arg(&name);
            if words[0] == "mq" {
                command.arg("x");
            }
            let drain = path.clone();
            let name = name.clone();
            contenders.push(Box::new(move || {
                let time = support::time(&mut command);
                if command.get_args().any(|word| word == "mq") {
                    support::time(Command::new(&drain).args(["mq", "recv", &name]));
                }
                time
            }));
        }
        let ratios = support::ratios(rounds, &mut contenders);
        let columns: String = ratios[1..].iter().map(|ratio| format!("{ratio:>8.2}")).collect();
        println!("{:<28}{columns}", format!("ipc {} NAME", words.join(" ")));
    }
    ipc(&["sem", "rm"]).expect("it runs");
    ipc(&["mq", "rm"]).expect("it runs");
}
