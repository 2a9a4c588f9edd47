//! Listings are in columns, and JSON has the order of people.

use super::*;

#[test]
fn numbers_are_to_the_right_where_some_are_missing_as_well() {
    let record = |name: &str, size: Option<u64>| {
        Record::new().bytes("name", name.as_bytes()).optional_number("size", size).time("at", 0)
    };
    let mut output = Output::new("ls", Verbosity::default());
    let records = [record("one", None), record("other", Some(4096))];
    output.list(&records, Format { json: false }).unwrap();
    let listed = "NAME   SIZE  AT\none       -  -\nother  4096  -\n";
    assert_eq!(String::from_utf8(std::mem::take(&mut output.pending)).unwrap(), listed);
}

#[test]
fn a_record_is_json_in_the_order_that_people_read() {
    let record = Record::new()
        .bytes("name", b"\xff")
        .number("size", 4096_u64)
        .mode("mode", 0o600)
        .time("changed", 0);
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(json, r#"{"name":{"base64":"/w=="},"size":4096,"mode":"0600","changed":null}"#);
}
