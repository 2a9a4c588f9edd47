//! The cost of a command under a lock, in relation to flock(1) of util-linux.
//!
//! The targets of the static build: `ipc lock run FILE -- true` at most 0.6, `flock FILE true`
//! called through a link at most 1.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

const ROUNDS: usize = 500;

fn main() {
    if !support::has("flock") {
        return println!("flock is missing");
    }
    let directory = tempfile::tempdir().expect("a directory can be made");
    let builds = support::builds(directory.path());
    let file = directory.path().join("lock");
    let rounds = support::scaled(ROUNDS);
    println!("{rounds} interleaved runs, medians of the ratio to flock(1)\n");
    println!(
        "{:<28}{}",
        "",
        builds.iter().map(|(build, _)| format!("{build:>8}")).collect::<String>()
    );
    for words in [&["lock", "run", "FILE", "--"][..], &["lock", "run", "-F", "FILE", "--"], &[]] {
        let original: &[&str] = if words.contains(&"-F") { &["-F", "FILE"] } else { &["FILE"] };
        let run = |program: &Path, words: &[&str]| {
            let mut command = Command::new(program);
            for word in words {
                match *word {
                    "FILE" => command.arg(&file),
                    word => command.arg(word),
                };
            }
            command.arg("/bin/true");
            Box::new(move || support::time(&mut command)) as Box<dyn FnMut() -> Duration>
        };
        let mut contenders = vec![run(Path::new("flock"), original)];
        for (build, path) in &builds {
            if words.is_empty() {
                let link = directory.path().join(build).join("flock");
                std::fs::create_dir(link.parent().expect("it has one")).expect("it is new");
                std::os::unix::fs::symlink(path, &link).expect("it is new");
                contenders.push(run(&link, original));
            } else {
                contenders.push(run(path, words));
            }
        }
        let ratios = support::ratios(rounds, &mut contenders);
        let columns: String = ratios[1..].iter().map(|ratio| format!("{ratio:>8.2}")).collect();
        let line = if words.is_empty() {
            "flock FILE true".to_owned()
        } else {
            format!("ipc {} true", words.join(" "))
        };
        println!("{line:<28}{columns}");
    }
}
