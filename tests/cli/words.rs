//! The words that name a noun and a verb, and the errors for other words.

use ipc_suite::program;

use crate::manual;
use crate::nouns::{self, Names, Noun};
use crate::support::{code, ipc, sh, text};

#[test]
fn words_that_end_too_soon_are_answered_by_the_short_help_as_a_usage_error() {
    let help = ipc(&["-h"]).succeeds();
    ipc(&[]).is(2, "", &help);
    for noun in program::NOUNS {
        let help = ipc(&[noun.name, "-h"]).succeeds();
        ipc(&[noun.name]).is(2, "", &help);
    }
}

#[test]
fn words_that_end_too_soon_have_their_status_also_without_a_stderr() {
    sh("ipc 2>&-; echo $?; ipc sem 2>&-; echo $?; ipc sem 2>/dev/full; echo $?").is(
        0,
        "2\n2\n2\n",
        "",
    );
}

#[test]
fn help_of_a_verb_is_printed_for_the_words_in_either_order() {
    for (noun, verb) in manual::verbs() {
        let Some(noun) = noun else { continue };
        let help = ipc(&[noun.name, verb.name, "--help"]).succeeds();
        assert_eq!(ipc(&[noun.name, "help", verb.name]).succeeds(), help);
        assert_eq!(ipc(&["help", noun.name, verb.name]).succeeds(), help);
    }
    for noun in program::NOUNS {
        let help = ipc(&[noun.name, "--help"]).succeeds();
        assert_eq!(ipc(&[noun.name, "help"]).succeeds(), help);
        assert_eq!(ipc(&["help", noun.name]).succeeds(), help);
    }
    assert_eq!(ipc(&["help"]).succeeds(), ipc(&["--help"]).succeeds());
    assert_eq!(ipc(&["help", "applets"]).succeeds(), ipc(&["applets", "--help"]).succeeds());
}

#[test]
fn help_for_an_unknown_verb_is_a_usage_error() {
    for words in [["sem", "help", "pots"], ["help", "sem", "pots"]] {
        let output = ipc(&words).output();
        assert_eq!((code(&output), text(&output.stdout)), (2, String::new()));
        assert!(text(&output.stderr).contains("unrecognized subcommand 'pots'"));
    }
}

#[test]
fn for_an_unknown_word_a_similar_one_is_suggested() {
    ipc(&["sem", "pots"]).is(
        2,
        "",
        "ipc: sem: unrecognized subcommand 'pots'\nhint: a similar subcommand exists: 'post'\n",
    );
    ipc(&["nothing"]).is(2, "", "ipc: unrecognized subcommand 'nothing'\nhint: try 'ipc --help'\n");
}

#[test]
fn for_a_command_without_dashes_the_hint_shows_them() {
    for verb in [&["lock", "run", "f", "true"][..], &["signal", "alarm", "1s", "true"]] {
        let (place, word) = (verb[..2].join(" "), verb.last().unwrap());
        let said = format!("ipc: {place}: unexpected argument '{word}' found\n");
        ipc(verb).is(2, "", &format!("{said}hint: the COMMAND stands behind --\n"));
    }
    // An unknown option is not a COMMAND.
    ipc(&["lock", "run", "f", "--bogus"]).is(
        2,
        "",
        "ipc: lock run: unexpected argument '--bogus' found\nhint: try 'ipc lock run --help'\n",
    );
}

#[test]
fn the_word_after_an_option_is_its_value_also_with_a_hyphen() {
    let below = "-1 is below the minimum value, 0; the maximum is 2147483647";
    let below = format!("ipc: sem create: /x: {below}\n");
    ipc(&["sem", "create", "/x", "--value", "-1"]).is(2, "", &below);
    ipc(&["fifo", "cat", "-t", "-n", "p"]).is(
        2,
        "",
        "ipc: fifo cat: --timeout '-n': not a duration such as 500ms, 1m 30s or 5\n\
         hint: try 'ipc fifo cat --help'\n",
    );
}

#[test]
fn an_empty_operand_is_shown_in_quotes() {
    let said = "ipc: fifo cat: '': not a PATH\nhint: try 'ipc fifo cat --help'\n";
    ipc(&["fifo", "cat", ""]).is(2, "", said);
    ipc(&["map", "write", ""]).is(4, "", "ipc: map write: '': No such file or directory\n");
}

#[test]
fn the_last_of_two_equal_options_counts() {
    ipc(&["signal", "wait", "-t", "1h", "-t", "0", "-q", "-q", "USR1"]).is(124, "", "");
}

#[test]
fn for_a_negative_number_the_hint_shows_the_dashes() {
    ipc(&["sem", "set", "/x", "-1"]).is(
        2,
        "",
        "ipc: sem set: unexpected argument '-1' found\nhint: to pass '-1' as a value, use '-- -1'\n",
    );
    ipc(&["signal", "alarm", "-1", "--", "true"]).is(
        2,
        "",
        "ipc: signal alarm: unexpected argument '-1' found\n\
         hint: try 'ipc signal alarm --help'\n",
    );
}

#[test]
fn for_other_forms_of_negative_numbers_the_hint_shows_the_dashes() {
    for number in ["-0x10", "-.5", "-inf", "-nan"] {
        let output = ipc(&["shm", "poke", "/x", "--type", "f64", number]).output();
        let hint = format!("\nhint: to pass '{number}' as a value, use '-- {number}'\n");
        assert_eq!((code(&output), text(&output.stderr).ends_with(&hint)), (2, true), "{number}");
    }
    let other = ipc(&["shm", "add", "/x", "--typ", "i32", "-1"]).output();
    assert!(text(&other.stderr).ends_with("hint: a similar argument exists: '--type'\n"));
}

#[test]
fn the_version_is_printed_at_every_level() {
    let version = format!("ipc {}\n", env!("CARGO_PKG_VERSION"));
    for words in [&["--version"][..], &["-V"], &["sem", "--version"], &["sem", "post", "-V"]] {
        ipc(words).is(0, &version, "");
    }
}

#[test]
fn the_help_of_a_noun_shows_its_usage() {
    let help = ipc(&["sem", "--help"]).succeeds();
    assert!(help.contains("Usage: ipc sem <VERB>"), "{help}");
    assert!(help.contains("  barrier  "), "{help}");
}

#[test]
fn an_object_whose_name_nobody_gets_to_know_is_not_left() {
    for noun in nouns::with(Names::Kernel) {
        let (noun, rest) = (noun.name, noun.create);
        // Its mode tells this one from those of others.
        let create = sh("ipc \"$@\" >/dev/full").word("sh").words(&[noun, "create", "sysv:0"]);
        let output = create.words(&["-m", "0417"]).words(rest).output();
        assert_eq!(code(&output), 3);
        assert!(text(&output.stderr).contains("standard output: No space left on device"));
        let listed = ipc(&[noun, "ls", "--json"]).succeeds();
        assert!(!listed.contains(r#""mode":"0417""#), "{listed}");
    }
}

#[test]
fn with_verbose_create_and_rm_say_what_they_did() {
    let directory = tempfile::tempdir().unwrap();
    for (Noun { name: noun, create: options, .. }, name) in nouns::objects(directory.path()) {
        let said = |verb, what| format!("ipc: {noun} {verb}: {}: {what}\n", &*name);
        let create = || ipc(&[noun, "create", "-ev", &name]).words(options);
        create().is(0, "", &said("create", "created"));
        create().is(0, "", &said("create", "existed already"));
        ipc(&[noun, "rm", "-v", &name]).is(0, "", &said("rm", "removed"));
        ipc(&[noun, "rm", "-fv", &name]).is(0, "", "");
    }
}

#[test]
fn only_similar_words_are_suggested() {
    let hint = |words: &[&str]| {
        let output = ipc(words).output();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        stderr.lines().last().unwrap_or_default().to_owned()
    };
    for (words, expected) in [
        (&["sem", "get"][..], "hint: try 'ipc sem --help'"),
        (&["memory"], "hint: try 'ipc --help'"),
        (&["mapp"], "hint: a similar subcommand exists: 'map'"),
        (&["smh"], "hint: a similar subcommand exists: 'shm'"),
        (&["sem", "wiat"], "hint: a similar subcommand exists: 'wait'"),
        (&["mq", "recieve"], "hint: try 'ipc mq --help'"),
        (
            &["mq", "create", "--max-msg", "3", "/x"],
            "hint: a similar argument exists: '--max-msgs'",
        ),
        (
            &["lock", "run", "--kind", "flok", "x", "--", "y"],
            "hint: a similar value exists: 'flock'",
        ),
        (&["lock", "run", "--kind", "fcntl", "x", "--", "y"], "hint: try 'ipc lock run --help'"),
    ] {
        assert_eq!(hint(words), expected, "{words:?}");
    }
}

#[test]
fn an_empty_operand_is_not_called_missing() {
    let said = "ipc: fifo ls: '': not a DIR\nhint: try 'ipc fifo ls --help'\n";
    ipc(&["fifo", "ls", ""]).is(2, "", said);
    let said = "ipc: pipe tee: '': not a FILE\nhint: try 'ipc pipe tee --help'\n";
    ipc(&["pipe", "tee", ""]).is(2, "", said);
}
