//! The options of every `ls`: rows by `--filter` and `--sort`, columns by `-o`, and their look.

use crate::manual;
use crate::peers;
use crate::support::{Name, code, ipc, sh, text};

/// The nouns that have an `ls`.
fn nouns() -> Vec<&'static str> {
    let lists = manual::verbs().filter(|(_, verb)| verb.name == "ls");
    lists.filter_map(|(noun, _)| noun).map(|noun| noun.name).collect()
}

/// The nouns whose `ls` needs no operand.
fn nouns_alone() -> Vec<&'static str> {
    let needs_operand = |noun: &str| {
        let mut lists = manual::verbs().filter(|(_, verb)| verb.name == "ls");
        let list = lists.find(|(other, _)| other.is_some_and(|other| other.name == noun));
        let command = list.expect("it has one").1.command();
        command.get_arguments().any(|argument| argument.is_required_set())
    };
    nouns().into_iter().filter(|noun| !needs_operand(noun)).collect()
}

/// Three segments, of one size each, and the expression that matches their names.
fn segments() -> ([Name; 3], String) {
    let names = [1_u64, 3 << 20, 1536].map(|size| {
        let name = Name::new("shm");
        let mode = if size == 1 { "0400" } else { "0640" };
        let size = size.to_string();
        ipc(&["shm", "create", &name, "--size", &size, "-m", mode]).is(0, "", "");
        name
    });
    let pattern = names.each_ref().map(|name| format!("^{}$", &**name)).join("|");
    (names, format!("name~{pattern}"))
}

/// The columns `name` and another, of these segments only, with these options.
fn list(pattern: &str, options: &[&str]) -> Vec<String> {
    let listed = ipc(&["shm", "ls", "-q", "--noheadings", "--filter", pattern]).words(options);
    listed
        .succeeds()
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn every_ls_has_the_options_of_a_listing() {
    for noun in nouns() {
        let help = ipc(&[noun, "ls", "-h"]).succeeds();
        for option in ["--filter", "--sort", "--output", "--noheadings", "--human", "--json"] {
            assert!(help.contains(option), "{noun}: {help}");
        }
        for words in [["--filter", "wrong=1"], ["--sort", "-wrong"], ["-o", "wrong"]] {
            let output = ipc(&[noun, "ls"]).words(&words).output();
            let errors = text(&output.stderr);
            assert_eq!((code(&output), &*text(&output.stdout)), (2, ""), "{errors}");
            assert!(errors.starts_with(&format!("ipc: {noun} ls: --")), "{errors}");
            assert!(errors.contains("no key 'wrong': the keys are "), "{errors}");
        }
    }
}

#[test]
fn the_keys_of_a_listing_are_those_of_json() {
    for noun in nouns_alone() {
        let output = ipc(&[noun, "ls", "-o", "wrong"]).output();
        let errors = text(&output.stderr);
        let keys = errors.split("the keys are ").nth(1).unwrap().lines().next().unwrap();
        let listed = ipc(&[noun, "ls", "--json"]).succeeds();
        let rows: Vec<serde_json::Map<_, _>> = serde_json::from_str(&listed).unwrap();
        for row in rows {
            let mut printed: Vec<String> = row.keys().cloned().collect();
            let mut declared: Vec<&str> = keys.split(", ").collect();
            printed.sort_unstable();
            declared.sort_unstable();
            assert_eq!(printed, declared, "{noun}");
        }
    }
}

#[test]
fn numbers_and_sizes_are_compared_as_numbers() {
    let ([one, large, middle], all) = segments();
    let found =
        |condition: &str| list(&all, &["-o", "name", "--sort", "size", "--filter", condition]);
    assert_eq!(found("size=1"), [&*one]);
    assert_eq!(found("size!=1"), [&*middle, &*large]);
    assert_eq!(found("size<1536"), [&*one]);
    assert_eq!(found("size<3MiB"), [&*one, &*middle]);
    assert_eq!(found("size<=3M"), [&*one, &*middle, &*large]);
    assert_eq!(found("size>1K"), [&*middle, &*large]);
    assert_eq!(found(" size >= 0x600"), [&*middle, &*large]);
    assert_eq!(found("SIZE~^1"), [&*one, &*middle]);
    assert_eq!(found("mode=640"), [&*middle, &*large]);
    assert_eq!(found("mode<0600"), [&*one]);
    assert_eq!(found("uid<-0.5"), Vec::<String>::new());
    assert_eq!(found("uid>=0"), [&*one, &*middle, &*large]);
}

#[test]
fn times_missing_values_and_arrays_are_compared_too() {
    let ([one, large, middle], all) = segments();
    let found =
        |condition: &str| list(&all, &["-o", "name", "--sort", "size", "--filter", condition]);
    let every = [&*one, &*middle, &*large];
    assert_eq!(found("changed>2020"), every);
    assert_eq!(found("changed<2020-01-01T00:00:00Z"), Vec::<String>::new());
    // POSIX objects have no identifier.
    assert_eq!(found("id=-"), every);
    assert_eq!(found("id!=-"), Vec::<String>::new());
    assert_eq!(found("id!=1"), every);
    assert_eq!(found("id<1"), Vec::<String>::new());
    let sleeper =
        sh("exec 9<\"/dev/shm$1\"; echo; exec sleep 60").word("sh").word(&*middle).start();
    crate::support::until("it is open", || found("holders=sleep") == [&*middle]);
    let pid = sleeper.pid();
    assert_eq!(found(&format!("holders={pid}")), [&*middle]);
    assert_eq!(found(&format!("holders~^{pid} .sleep")), [&*middle]);
    assert_eq!(found(&format!("holders!={pid}")), [&*one, &*large]);
    assert_eq!(list(&all, &["-o", "name", "--sort", "-holders,-size"]), [&*middle, &*large, &*one]);
    sleeper.signal(nix::sys::signal::Signal::SIGKILL);
    sleeper.finish();
}

#[test]
fn all_conditions_hold_and_a_wrong_one_is_a_usage_error() {
    let ([one, _, middle], all) = segments();
    let conditions = ["--filter", "size<2K", "--filter", "size>0", "-o", "name", "--sort=-size"];
    assert_eq!(list(&all, &conditions), [&*middle, &*one]);
    for (condition, reason) in [
        ("size", "not KEY, one of = != < <= > >= ~, and a value"),
        ("size!3", "not KEY, one of = != < <= > >= ~, and a value"),
        ("size=many", "size is compared with a size, such as 4096 or 64K"),
        ("uid=many", "uid is compared with a number"),
        ("mode=999", "mode is compared with permissions in octal"),
        ("changed>yesterday", "changed is compared with a time, such as 2030-12-31"),
        ("holders<3", "holders is compared by =, != and ~ only"),
        ("id<-", "'-' is no value, which only = and != compare"),
        ("marked_for_removal=maybe", "marked_for_removal is compared with yes or no"),
        ("name~(", "name is compared with a regular expression"),
    ] {
        let output = ipc(&["shm", "ls", "--filter", condition]).output();
        let errors = text(&output.stderr);
        assert_eq!(code(&output), 2, "{errors}");
        assert!(
            errors.contains(&format!("ipc: shm ls: --filter '{condition}': {reason}")),
            "{errors}"
        );
    }
}

#[test]
fn columns_are_chosen_and_added() {
    let ([one, large, middle], all) = segments();
    let listed = |options: &[&str]| {
        let run = ipc(&["shm", "ls", "-q", "--filter", &all, "--sort", "size"]).words(options);
        let lines: Vec<String> = run.succeeds().lines().map(str::to_owned).collect();
        lines
            .iter()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    let named = |sizes: [&str; 3]| {
        let names = [&*one, &*middle, &*large];
        names.iter().zip(sizes).map(|(name, size)| format!("{size} {name}")).collect::<Vec<_>>()
    };
    let heading = vec!["SIZE NAME".to_owned()];
    let bytes = named(["1", "1536", "3145728"]);
    assert_eq!(listed(&["-o", "size,name"]), [heading.clone(), bytes.clone()].concat());
    assert_eq!(listed(&["-o", "size,name", "--noheadings"]), bytes);
    assert_eq!(listed(&["-osize,NAME", "--human"]), [heading, named(["1", "1.5K", "3M"])].concat());
    assert!(listed(&["-o", "+allocated"])[0].ends_with("CHANGED HOLDERS ALLOCATED"));
    let json =
        ipc(&["shm", "ls", "-j", "--human", "-o", "size,id", "--filter", &all, "--sort", "-size"]);
    let rows = [3 << 20, 1536, 1].map(|size| format!(r#"{{"size":{size},"id":null}}"#));
    json.is(0, &format!("[{}]\n", rows.join(",")), "");
}

#[test]
fn a_listing_without_rows_prints_nothing_or_an_empty_array() {
    ipc(&["signal", "ls", "--filter", "number=0"]).is(0, "", "");
    ipc(&["signal", "ls", "--filter", "number=0", "-o", "name"]).is(0, "", "");
    ipc(&["signal", "ls", "--filter", "number=0", "--json"]).is(0, "[]\n", "");
    ipc(&["signal", "ls", "--filter", "number=9"]).is(
        0,
        "NAME  NUMBER  DEFAULT  EFFECT\nKILL       9  term     the process dies\n",
        "",
    );
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    for noun in nouns_alone() {
        let line = "ipc \"$1\" ls -q | :; echo ${PIPESTATUS[0]}";
        let status = crate::support::bash(line).word("bash").word(noun).succeeds();
        assert!(["0\n", "141\n"].contains(&&*status), "{noun}: {status}");
    }
    ipc(&["signal", "ls"]).assert().success();
    crate::support::bash("ipc signal ls | head -n 1").is(
        0,
        "NAME      NUMBER  DEFAULT  EFFECT\n",
        "",
    );
}

#[test]
fn names_are_escaped_for_a_terminal_and_whole_in_a_pipe() {
    let directory = tempfile::tempdir().unwrap();
    let name = "a\nb\x1b[31m";
    nix::unistd::mkfifo(&directory.path().join(name), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let list = ["fifo", "ls", "--noheadings", "-o", "path"];
    ipc(&list).within(directory.path()).is(0, &format!("{name}\n"), "");
    if let Some(shown) = peers::at_terminal(&format!("ipc {}", list.join(" "))) {
        shown.within(directory.path()).is(0, "a\\nb\\x1b[31m\r\n", "");
    }
    // A condition sees the name, and not its escapes.
    let found = ipc(&list).words(&["--filter", "path~^a.b"]).within(directory.path());
    assert_eq!(found.succeeds(), format!("{name}\n"));
}
