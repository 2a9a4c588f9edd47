//! Columns of listings, and the order of fields in JSON.

use super::medium::Medium;
use crate::io::output::*;

const NAME: Key = Key::new("name", Type::Text, "Name");
const SIZE: Key = Key::new("size", Type::Size, "Size").or_null();
const AT: Key = Key::new("at", Type::Time, "Time");
const HOLDERS: Key = Key::new("holders", Type::Text, "Holders");

fn lines(keys: &[&Key], rows: Vec<Vec<Value>>, look: Look, medium: Medium) -> String {
    let lines: Vec<Vec<u8>> = Table::new(keys.to_vec(), rows).lines(look, medium).collect();
    String::from_utf8(lines.concat()).unwrap()
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
    let row = vec![Value::text(b"\xff"), 4096_u64.into(), Value::Mode(0o600), Value::Time(0)];
    let table = Table::new(vec![&NAME, &SIZE, &MODE, &AT], vec![row]);
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
