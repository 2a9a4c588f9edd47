//! Columns of listings, and the order of fields in JSON.

use crate::io::output::*;

#[test]
fn numbers_are_aligned_to_the_right_also_if_some_are_missing() {
    let record = |name: &str, size: Option<u64>| {
        Record::new().bytes("name", name.as_bytes()).optional_number("size", size).time("at", 0)
    };
    let mut output = Output::new(["", "ls"], Verbosity::default(), Destinations::of_process());
    let records = [record("one", None), record("other", Some(4096))];
    output.list(&records, Format::Text).unwrap();
    let listed = "NAME   SIZE  AT\none       -  -\nother  4096  -\n";
    assert_eq!(String::from_utf8(std::mem::take(&mut output.pending)).unwrap(), listed);
}

#[test]
fn json_has_the_fields_in_the_order_of_the_text() {
    let record = Record::new()
        .bytes("name", b"\xff")
        .number("size", 4096_u64)
        .mode("mode", 0o600)
        .time("changed", 0);
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(json, r#"{"name":{"base64":"/w=="},"size":4096,"mode":"0600","changed":null}"#);
}

fn lines(records: &[Record], medium: Medium) -> String {
    let lines: Vec<Vec<u8>> = listing::lines(records, medium).collect();
    String::from_utf8(lines.concat()).unwrap()
}

#[test]
fn rows_are_cut_to_the_width_of_a_terminal_and_not_elsewhere() {
    let record = |name: &str, size: u64, holders: &str| {
        let record = Record::new().bytes("name", name.as_bytes()).number("size", size);
        record.bytes("holders", holders.as_bytes())
    };
    let long = format!("1 ({})", "ä".repeat(40));
    let records = [record("/short", 4096, "none"), record("/some-long-name", 1, &long)];
    let shown = lines(&records, Medium::Terminal(40));
    assert_eq!(
        shown,
        "NAME             SIZE  HOLDERS\n\
         /short           4096  none\n\
         /some-long-name     1  1 (äääääääääääää>\n"
    );
    assert!(shown.lines().all(|line| line.chars().count() <= 40));
    // Both text columns become narrower, and then the row is cut.
    let shown = lines(&records, Medium::Terminal(25));
    assert_eq!(shown.lines().last(), Some("/some-lo>     1  1 (ääää>"));
    let shown = lines(&records, Medium::Terminal(12));
    assert_eq!(shown.lines().last(), Some("/some-l>   >"));
    assert!(lines(&records, Medium::Elsewhere).contains(&long));
    assert_eq!(lines(&records, Medium::Terminal(500)), lines(&records, Medium::Elsewhere));
}
