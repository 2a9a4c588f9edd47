//! Columns of listings, and the order of fields in JSON.

use super::color::Paint;
use super::medium::Medium;
use crate::io::output::*;

const NAME: Key = Key::new("name", Type::Text, "Name");
const SIZE: Key = Key::new("size", Type::Size, "Size").or_null();
const AT: Key = Key::new("at", Type::Time, "Time");
const HOLDERS: Key = Key::new("holders", Type::Text, "Holders");

fn lines(keys: &[&Key], rows: Vec<Vec<Value>>, look: Look, medium: Medium) -> String {
    let table = Table::new(keys.to_vec(), rows.into_iter().map(row).collect());
    let lines: Vec<Vec<u8>> = table.lines(look, medium, Paint::Plain).collect();
    String::from_utf8(lines.concat()).unwrap()
}

fn row(values: Vec<Value>) -> Row {
    Row { values, needs_attention: false }
}

#[test]
fn numbers_are_aligned_to_the_right_also_if_some_are_missing() {
    let row = |name, size: Option<u64>| vec![Value::text(name), size.into(), Value::Time(0)];
    let rows = vec![row("one", None), row("other", Some(4096))];
    let look = Look::default();
    let listed = lines(&[&NAME, &SIZE, &AT], rows.clone(), look, Medium::Elsewhere);
    assert_eq!(listed, "NAME   SIZE  AT\none       -  -\nother  4096  -\n");
    let look = Look { headings: Headings::Omitted, sizes: Sizes::Human };
    let listed = lines(&[&NAME, &SIZE], rows, look, Medium::Elsewhere);
    assert_eq!(listed, "one     -\nother  4K\n");
}

#[test]
fn json_has_the_keys_in_the_order_of_the_text() {
    const MODE: Key = Key::new("mode", Type::Mode, "Permissions");
    let values = vec![Value::text(b"\xff"), 4096_u64.into(), Value::Mode(0o600), Value::Time(0)];
    let table = Table::new(vec![&NAME, &SIZE, &MODE, &AT], vec![row(values)]);
    let json = serde_json::to_string(&table).unwrap();
    assert_eq!(json, r#"[{"name":{"base64":"/w=="},"size":4096,"mode":"0600","at":null}]"#);
}

#[test]
fn rows_are_cut_to_the_width_of_a_terminal_and_not_elsewhere() {
    let long = format!("1 ({})", "ä".repeat(40));
    let row =
        |name, size: u64, holders: &str| vec![Value::text(name), size.into(), Value::text(holders)];
    let rows = vec![row("/short", 4096, "none"), row("/some-long-name", 1, &long)];
    let shown = |medium| lines(&[&NAME, &SIZE, &HOLDERS], rows.clone(), Look::default(), medium);
    assert_eq!(
        shown(Medium::Terminal(40)),
        "NAME             SIZE  HOLDERS\n\
         /short           4096  none\n\
         /some-long-name     1  1 (äääääääääääää>\n"
    );
    assert!(shown(Medium::Terminal(40)).lines().all(|line| line.chars().count() <= 40));
    // Both text columns become narrower, and then the row is cut.
    assert_eq!(shown(Medium::Terminal(25)).lines().last(), Some("/some-lo>     1  1 (ääää>"));
    assert_eq!(shown(Medium::Terminal(12)).lines().last(), Some("/some-l>   >"));
    assert!(shown(Medium::Elsewhere).contains(&long));
    assert_eq!(shown(Medium::Terminal(500)), shown(Medium::Elsewhere));
}

#[test]
fn lists_become_narrower_first_and_paths_lose_their_beginning() {
    const PIDS: Key = Key::new("pids", Type::Numbers, "Processes");
    let pids = Value::several([1000, 1001, 1002, 1003], ", ", "-");
    let rows = vec![vec![Value::text("/run/some/long/path"), pids]];
    let shown = |width| {
        let look = Look { headings: Headings::Omitted, ..Look::default() };
        lines(&[&NAME, &PIDS], rows.clone(), look, Medium::Terminal(width))
    };
    assert_eq!(shown(33), "/run/some/long/path  1000, 1001,>\n");
    assert_eq!(shown(25), "<some/long/path  1000, 1>\n");
}

#[test]
fn colours_take_no_column_and_a_row_that_needs_attention_has_its_own() {
    let row = |name, size: u64, needs_attention| Row {
        values: vec![Value::text(name), size.into()],
        needs_attention,
    };
    let rows = vec![row("usual", 1, false), row("a name that is cut", 20, true)];
    let table = Table::new(vec![&NAME, &SIZE], rows);
    let lines = |paint| table.lines(Look::default(), Medium::Terminal(14), paint);
    let colored: Vec<Vec<u8>> = lines(Paint::Colored).collect();
    assert_eq!(
        String::from_utf8(colored.concat()).unwrap(),
        "\x1b[1mNAME      SIZE\x1b[0m\nusual        1\n\x1b[31ma name >    20\x1b[0m\n"
    );
}
