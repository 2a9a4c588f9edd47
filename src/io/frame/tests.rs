//! A record that is written and read again is unchanged, in every framing.

use std::ffi::OsString;
use std::os::unix::net::UnixStream;

use proptest::prelude::*;

use crate::base::deadline::{Deadline, Waited};
use crate::io::frame::*;

const FORMS: [Form; 5] = [Form::Line, Form::Null, Form::Whole, Form::Len4, Form::Netstring];

/// The records of a stream that arrives in pieces of this size, and the end of the reading.
fn read_in_pieces(
    form: Form,
    limit: usize,
    stream: &[u8],
    piece: usize,
) -> (Vec<Vec<u8>>, Result<(), ReadError>) {
    let (mut near, far) = UnixStream::pair().unwrap();
    let mut reader = Reader::new(far, form, limit);
    let mut pieces = stream.chunks(piece);
    let mut records = Vec::new();
    let mut near = Some(&mut near);
    loop {
        match reader.next_until(Deadline::PASSED) {
            Ok(Waited::Done(Some(record))) => records.push(record.to_vec()),
            Ok(Waited::Done(None)) => return (records, Ok(())),
            Err(error) => return (records, Err(error)),
            Ok(Waited::TimedOut) => match pieces.next() {
                Some(piece) => near.as_mut().unwrap().write_all(piece).unwrap(),
                None => {
                    let near = near.take().expect("the end is noticed");
                    near.shutdown(std::net::Shutdown::Write).unwrap();
                }
            },
        }
    }
}

fn read(form: Form, limit: usize, stream: &[u8]) -> (Vec<Vec<u8>>, Result<(), ReadError>) {
    read_in_pieces(form, limit, stream, 4096)
}

fn write(form: Form, records: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = Vec::new();
    for record in records {
        let put = |bytes: &[u8]| std::io::Write::write_all(&mut stream, bytes);
        form.encode(record, put).unwrap();
    }
    stream
}

fn carries(form: Form, records: &[Vec<u8>]) -> bool {
    match form.terminator() {
        Some(terminator) => !records.concat().contains(&terminator),
        None => form != Form::Whole || records.len() == 1,
    }
}

fn too_long(length: Length, limit: usize) -> Result<(), ReadError> {
    Err(ReadError::TooLong { length, limit })
}

#[test]
fn bytes_are_found_and_counted_wherever_they_are() {
    for length in 0..200 {
        for at in 0..length {
            let mut bytes = vec![b'x'; length];
            bytes[at] = b'\n';
            assert_eq!((find(b'\n', &bytes), count(b'\n', &bytes)), (Some(at), 1));
            bytes[at..].fill(b'\n');
            assert_eq!((find(b'\n', &bytes), count(b'\n', &bytes)), (Some(at), length - at));
        }
        assert_eq!((find(b'\n', &vec![11; length]), count(b'\n', &vec![11; length])), (None, 0));
    }
    assert_eq!(count(0, &[0; 70_000]), 70_000);
}

#[test]
fn a_line_is_a_record_with_its_newline_or_at_the_end_without() {
    let lines = |stream: &str| read(Form::Line, 9, stream.as_bytes()).0;
    assert_eq!(lines(""), [b""; 0]);
    assert_eq!(lines("\n"), [b""]);
    assert_eq!(lines("a\n\nb"), [b"a".as_slice(), b"", b"b"]);
    assert_eq!(lines("a\0b\n"), [b"a\0b"]);
}

#[test]
fn all_of_a_stream_is_one_record_even_if_it_is_empty() {
    assert_eq!(read(Form::Whole, 9, b"a\nb\n"), (vec![b"a\nb\n".to_vec()], Ok(())));
    assert_eq!(read(Form::Whole, 9, b""), (vec![vec![]], Ok(())));
}

#[test]
fn a_record_that_is_too_long_tells_its_length_and_those_before_it_are_read() {
    for piece in [1, 3, 4096] {
        let read = |form, stream: &[u8]| read_in_pieces(form, 4, stream, piece);
        let long = too_long(Length::Exactly(6), 4);
        assert_eq!(read(Form::Line, b"ok\n123456\nx"), (vec![b"ok".to_vec()], long));
        assert_eq!(read(Form::Line, b"123456"), (vec![], long));
        assert_eq!(read(Form::Whole, b"123456"), (vec![], long));
        assert_eq!(read(Form::Netstring, b"6:"), (vec![], long));
        assert_eq!(read(Form::Len4, b"\x06\0\0\0"), (vec![], long));
        assert_eq!(read(Form::Line, b"1234\n").1, Ok(()));
    }
}

#[test]
fn a_length_beyond_64_bits_is_too_long_and_not_wrapped() {
    let stream = b"18446744073709551617:x,";
    assert_eq!(read(Form::Netstring, 4, stream).1, too_long(Length::Exactly(u64::MAX), 4));
}

#[test]
fn a_stream_that_ends_within_a_counted_record_is_an_error() {
    for (form, stream) in [
        (Form::Len4, b"\x01\0\0\0a\x02\0".as_slice()),
        (Form::Len4, b"\x01\0\0\0a\x02\0\0\0b"),
        (Form::Netstring, b"1:a,2"),
        (Form::Netstring, b"1:a,2:b"),
        (Form::Netstring, b"1:a,1:b"),
    ] {
        let cut = (vec![b"a".to_vec()], Err(ReadError::CutShort));
        assert_eq!(read(form, 9, stream), cut, "{stream:?}");
    }
}

#[test]
fn what_is_no_netstring_is_refused() {
    for stream in ["x", "-1:a,", "01:a,", ":a,", "1:ab", "123456789012345678901", "1 :a,"] {
        let refused = (vec![], Err(ReadError::NotANetstring));
        assert_eq!(read(Form::Netstring, 9, stream.as_bytes()), refused, "{stream}");
    }
}

#[test]
fn a_reader_knows_whether_it_can_answer_at_once() {
    let (mut near, far) = UnixStream::pair().unwrap();
    let mut reader = Reader::new(far, Form::Line, 9);
    assert!(!reader.has_buffered());
    near.write_all(b"a\nb\nc").unwrap();
    assert_eq!(reader.next(), Ok(Some(b"a".as_slice())));
    assert!(reader.has_buffered());
    assert_eq!(reader.next(), Ok(Some(b"b".as_slice())));
    assert!(!reader.has_buffered());
    assert_eq!(reader.next_until(Deadline::PASSED), Ok(Waited::TimedOut));
}

#[test]
fn an_error_that_was_seen_coming_comes() {
    let (mut near, far) = UnixStream::pair().unwrap();
    let mut reader = Reader::new(far, Form::Netstring, 9);
    near.write_all(b"1:a,xxx").unwrap();
    assert_eq!(reader.next(), Ok(Some(b"a".as_slice())));
    assert!(reader.has_buffered());
    assert_eq!(reader.next(), Err(ReadError::NotANetstring));
    assert_eq!(reader.next(), Ok(None));
}

#[test]
fn operands_are_all_looked_at_before_the_first_is_yielded() {
    let operands = |texts: &[&str]| {
        let operands = texts.iter().map(OsString::from).collect();
        Messages::new(operands, crate::sys::stdio::Stream::Input.fd(), Form::Line, 2)
    };
    assert_eq!(
        operands(&["a", "bcd"]).unwrap_err().to_string(),
        "record of 3 bytes is longer than allowed (2)"
    );
    let mut messages = operands(&["a", ""]).unwrap();
    assert_eq!(messages.next(), Ok(Some(b"a".as_slice())));
    assert_eq!(messages.next(), Ok(Some(b"".as_slice())));
    assert_eq!(messages.next(), Ok(None));
}

proptest! {
    #[test]
    fn what_a_form_can_carry_survives_it(
        records in prop::collection::vec(prop::collection::vec(0_u8..12, 0..40), 0..20),
        piece in 1_usize..100,
    ) {
        for form in FORMS.into_iter().filter(|&form| carries(form, &records)) {
            let stream = write(form, &records);
            let read = read_in_pieces(form, 40, &stream, piece);
            prop_assert_eq!(read, (records.clone(), Ok(())), "{:?}", form);
        }
    }

    #[test]
    fn long_records_survive_as_well(size in 0_usize..300_000, piece in 4096_usize..70_000) {
        let records = vec![vec![b'x'; size]];
        for form in FORMS {
            let read = read_in_pieces(form, usize::MAX, &write(form, &records), piece);
            prop_assert!(read == (records.clone(), Ok(())), "{:?}", form);
        }
    }

    #[test]
    fn any_bytes_give_records_or_an_error(
        stream in prop::collection::vec(any::<u8>(), 0..200),
        piece in 1_usize..100,
    ) {
        for form in FORMS {
            let (records, _) = read_in_pieces(form, 50, &stream, piece);
            prop_assert!(records.iter().all(|record| record.len() <= 50));
        }
    }

    #[test]
    fn the_first_byte_of_a_kind_is_found(
        bytes in prop::collection::vec(prop::sample::select(&[0_u8, 1, 9, 10, 11, 127, 128, 138, 255]), 0..40),
        byte in prop::sample::select(&[0_u8, 10, 128, 255]),
    ) {
        let naive = bytes.iter().position(|&other| other == byte);
        prop_assert_eq!(find(byte, &bytes), naive);
    }
}
