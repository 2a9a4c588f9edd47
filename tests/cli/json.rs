//! The output of `--json` is that of the section JSON of each manual page: keys and types.

use std::collections::{BTreeMap, BTreeSet};

use ipc_suite::program::{Json, Key, Noun, Shape, Type, Verb};
use serde_json::{Map, Value};

use crate::manual;
use crate::support::{Name, bash};

/// The verbs with `--json`.
fn verbs() -> Vec<(Option<&'static Noun>, &'static Verb)> {
    let prints_json =
        |verb: &Verb| verb.command().get_arguments().any(|arg| arg.get_id() == "json");
    manual::verbs().filter(|(_, verb)| prints_json(verb)).collect()
}

fn words(noun: Option<&Noun>, verb: &Verb) -> String {
    noun.map_or_else(|| verb.name.to_owned(), |noun| format!("{} {}", noun.name, verb.name))
}

/// A line of shell for each verb, which prints JSON of objects that it makes. `$n` is a name that no
/// other test uses, and `$p` a path.
const LINES: &[(&str, &str)] = &[
    ("bench", "ipc bench -d 5ms --rounds 1 pipe --json >old; ipc bench -d 5ms --rounds 1 pipe --json --compare old; cat old
        ipc bench -d 5ms --rounds 1 --rate 1000 queue --json; ipc bench start --json"),
    ("guide", "ipc guide --json; ipc guide --json messages network"),
    ("limits", "ipc limits --json"),
    (
        "door info",
        "ipc door serve --cookie c $p -- cat & until_true ipc door info --json $p 2>/dev/null; kill $!; wait",
    ),
    ("fd ls", "true | { ipc fd ls --json $$; }
        ipc fd hold $p --ready $p.r & until_true test -s $p.r; ipc fd store --expire 1h $p 5=n 5</dev/null
        ipc fd ls --json $p; ipc door revoke $p; wait"),
    ("fifo stat", "ipc fifo create $p; ipc fifo stat --json $p; exec 8<>$p; ipc fifo stat --json $p"),
    ("fifo ls", "ipc fifo create $p; ipc fifo ls --json ${p%/*}"),
    ("lock test", "exec 8>$p; ipc lock fd 8; ipc lock test --json $p; ipc lock take $p.pid --owner $$;
        ipc lock test --json $p.pid"),
    ("lock ls", "exec 8>$p; ipc lock fd 8; ipc lock ls --json"),
    ("prune", "sh -c 'ipc lock take $0; :' $p; ipc prune -q --json -k lockfile ${p%/*}"),
    ("who", "exec 8>$p; ipc who -q --json $p; ipc who -q --json $$"),
    ("ls", "ipc shm create $n --size 8; exec 8>$p; ipc lock fd 8; ipc ls -q --json; ipc shm rm $n"),
    ("top", "ipc queue push --create --capacity 4K $n a; exec 8>$p; ipc lock fd 8; ipc top --once --interval 0.1 --json; ipc queue rm $n"),
    ("map peek", "ipc map create $p --size 8; ipc map peek --json $p --count 2"),
    ("map stat", "ipc map create $p --size 8; ipc map stat --json $p"),
    ("map ls", "ipc map create $p --size 8; ipc map wait $p --eq 1 -t 20s & until_true eval 'ipc map ls -q --json | grep $p'; kill $!"),
    ("mq recv", "ipc mq create -m 600 $n --max-msgs 1 --msg-size 9; ipc mq send $n a; ipc mq recv --json $n; ipc mq rm $n
        ipc mq create $s; ipc mq send $s b; ipc mq recv --json $s; ipc mq rm $s"),
    ("mq stat", "ipc mq create $n --max-msgs 1 --msg-size 9; ipc mq stat --json $n; ipc mq rm $n
        ipc mq create $s; ipc mq send $s b; ipc mq stat --json $s; ipc mq rm $s"),
    ("mq ls", "ipc mq create $n --max-msgs 1 --msg-size 9; ipc mq create $s; ipc mq ls --json; ipc mq rm $n $s"),
    ("queue pop", "ipc queue push --create --capacity 4K $n a; ipc queue pop --json $n; ipc queue rm $n"),
    ("queue tap", "ipc queue push --create --capacity 4K $n a; ipc queue tap --json $n; ipc queue rm $n"),
    ("queue stat", "ipc queue push --create --capacity 4K $n a; ipc queue stat --json $n; ipc queue rm $n"),
    ("queue ls", "ipc queue push --create --capacity 4K $n a; ipc queue ls -q --json; ipc queue rm $n"),
    ("queue verify", "ipc queue push --create --capacity 4K $n a; ipc queue verify --json $n; ipc queue rm $n"),
    ("sem stat", "ipc sem create $n --value 1; ipc sem run $n -- ipc sem stat --json $n; ipc sem rm $n
        ipc sem create $s; ipc sem stat --json $s; ipc sem rm $s"),
    ("sem ls", "ipc sem create $n --value 1; ipc sem ls --json; ipc sem rm $n"),
    ("shm peek", "ipc shm create $n --size 8; ipc shm peek --json $n; ipc shm rm $n"),
    ("shm stat", "ipc shm create $n --size 8; ipc shm stat --json $n; ipc shm rm $n
        ipc shm create $s --size 8; ipc shm stat --json $s; ipc shm rm $s"),
    ("shm ls", "ipc shm create $n --size 8; ipc shm create $s --size 8; ipc shm ls -q --json; ipc shm rm $n $s"),
    ("signal info", "ipc signal info --json $$; ipc signal info --tree --json $$"),
    ("signal ls", "ipc signal ls --json"),
    ("signal wait", "mkfifo $p; ipc signal wait --json USR1 --ready $p & read pid <$p; kill -USR1 $pid; wait $!"),
    ("pipe stat", "echo | sh -c 'ipc pipe stat --json $$ 0'"),
    ("spool ls", "ipc spool create s; echo a | ipc spool put s >&2; ipc spool ls s --json
        ipc spool take s -- sh -c 'ipc spool ls s --json'
        echo b | ipc spool put s >&2; ipc spool take -q s -- false; ipc spool ls s --failed --json"),
    ("spool stat", "ipc spool create s; echo a | ipc spool put s >&2; ipc spool stat s --json"),
    ("sock ls", "ipc sock serve $p --echo & until_true eval 'ipc sock ls -q --json | grep $p'; kill $!; wait"),
    ("sock stat", "ipc sock serve $p --echo & until_true ipc sock stat --json $p; kill -9 $!; wait
        ipc sock stat --json $p; rm $p
        ipc sock serve $p --once -- sh -c \"ipc sock stat --json fd:0 >$p.unix\" & until_true test -e $p
        ipc sock connect $p </dev/null; wait; cat $p.unix
        ipc sock serve tcp:127.0.0.1:0 --once --ready $p.at -- sh -c \"ipc sock stat --json fd:0 >$p.tcp\" &
        until_true test -s $p.at; ipc sock connect $(cat $p.at) </dev/null; wait; cat $p.tcp"),
];

/// The JSON that a line of shell prints.
fn printed(line: &str, index: usize) -> Vec<Value> {
    let directory = tempfile::tempdir().unwrap();
    let name = Name::new("shm");
    let variables = format!(
        "n={}; s=sysv:{}; p={}/p\n",
        &*name,
        0x0c17_0000 + index,
        directory.path().display()
    );
    let output = bash(&format!("{variables}{line}")).within(directory.path()).output();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let values: Vec<Value> = text
        .lines()
        .filter(|line| line.starts_with(['{', '[']))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!values.is_empty(), "{line}\n{text}{errors}");
    values
}

/// Whether a value is of the type that the page states.
fn fits(key: &Key, shape: Shape, value: &Value) -> bool {
    let is_optional = key.is_optional || (key.only.is_some() && shape == Shape::Array);
    match (key.kind, value) {
        (_, Value::Null) => is_optional,
        (Type::Text, Value::Object(object)) => object.keys().eq(["base64"]),
        (Type::Text | Type::Word | Type::Mode | Type::Time, value) => value.is_string(),
        (Type::Number | Type::Size | Type::Seconds, value) => value.is_number(),
        (Type::Flag, value) => value.is_boolean(),
        (Type::Numbers, Value::Array(values)) => values.iter().all(Value::is_number),
        (Type::Words, Value::Array(values)) => values.iter().all(Value::is_string),
        (Type::Objects(inner), Value::Array(values)) => values.iter().all(|value| {
            let Value::Object(object) = value else { return false };
            let inner: Vec<&Key> = inner.iter().collect();
            describes(&inner, Shape::Object, object)
        }),
        _ => false,
    }
}

/// Whether the keys are those of an object, with the types of its values.
fn describes(keys: &[&Key], shape: Shape, object: &Map<String, Value>) -> bool {
    let is_declared = |name: &String| keys.iter().any(|key| key.name == name);
    let is_printed = |key: &&Key| match object.get(key.name) {
        Some(value) => fits(key, shape, value),
        None => key.only.is_some() && shape != Shape::Array,
    };
    object.keys().all(is_declared) && keys.iter().all(is_printed)
}

/// The objects that a verb prints in this shape.
fn objects(shape: Shape, value: &Value) -> Vec<&Map<String, Value>> {
    match (shape, value) {
        (Shape::Array, Value::Array(values)) => {
            values.iter().filter_map(Value::as_object).collect()
        }
        (Shape::Object | Shape::Lines, Value::Object(object)) => vec![object],
        _ => Vec::new(),
    }
}

/// The keys of a section of a page, with their types, by the lines of the page.
fn of_page(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let section = page.split(".SH JSON\n").nth(1).unwrap_or_default();
    let section = section.split("\n.SH ").next().unwrap_or_default();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in section.lines().filter_map(|line| line.strip_prefix("\\fB")) {
        let (name, rest) = line.split_once("\\fR (\\fI").expect("a key has a type");
        let kind = rest.strip_suffix("\\fR)").expect("a type ends");
        found.entry(name.to_owned()).or_default().insert(kind.to_owned());
    }
    found
}

#[test]
fn every_page_of_a_verb_with_json_has_its_keys_and_types() {
    for (noun, verb) in verbs() {
        let (words, page) = (words(noun, verb), of_page(&manual::page(noun, verb)));
        assert!(!verb.json.is_empty(), "{words} has no section JSON");
        for Json { shape, keys, .. } in verb.json {
            assert_eq!(keys().is_empty(), *shape == Shape::Numbers, "{words}");
            for key in keys() {
                let kind = manual::json_type(key, *shape);
                assert!(
                    page.get(key.name).is_some_and(|kinds| kinds.contains(&kind)),
                    "{words}: {key:?}"
                );
                let meaning = key.meaning;
                assert!(!meaning.ends_with('.') && meaning.len() <= 70, "{words}: {meaning}");
            }
        }
    }
    let others = manual::verbs().filter(|(_, verb)| !verb.json.is_empty()).count();
    assert_eq!(others, verbs().len(), "a verb without --json has a section JSON");
}

#[test]
fn what_a_verb_prints_is_what_its_page_says() {
    for (index, (noun, verb)) in verbs().into_iter().enumerate() {
        let words = words(noun, verb);
        let line = LINES.iter().find(|(verb, _)| *verb == words);
        let (_, line) = line.unwrap_or_else(|| panic!("no line of {words}"));
        let values = printed(line, index);
        if verb.json.iter().all(|json| json.shape == Shape::Numbers) {
            let is_numbers = |value: &Value| {
                value.as_array().is_some_and(|them| them.iter().all(Value::is_number))
            };
            assert!(values.iter().all(is_numbers), "{words}: {values:?}");
            continue;
        }
        let printed: Vec<_> = verb
            .json
            .iter()
            .flat_map(|json| values.iter().flat_map(|value| objects(json.shape, value)))
            .collect();
        let fitting = |json: &Json, object: &Map<String, Value>| {
            describes(&(json.keys)(), json.shape, object)
        };
        for object in &printed {
            assert!(verb.json.iter().any(|json| fitting(json, object)), "{words}: {object:?}");
        }
        for json in verb.json {
            let own: Vec<_> = printed.iter().filter(|object| fitting(json, object)).collect();
            for key in (json.keys)() {
                assert!(
                    own.iter().any(|object| object.contains_key(key.name)),
                    "{words}: {} is not printed",
                    key.name
                );
            }
        }
    }
}
