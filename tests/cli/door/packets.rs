//! The format of ipc-door(5), spoken by a test.

use std::io::IoSlice;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, connect, recv, sendmsg,
    socket,
};

use super::Door;
use crate::support::{text, until};

/// A header, with the bytes behind it.
fn packet(kind: u16, flags: u32, number: u32, lengths: [u64; 2], rest: &[u8]) -> Vec<u8> {
    let mut bytes = b"door\x01\0".to_vec();
    bytes.extend(kind.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend(lengths.into_iter().flat_map(u64::to_le_bytes));
    bytes.extend(rest);
    bytes
}

fn connected(door: &Door) -> OwnedFd {
    let fd =
        socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC, None).unwrap();
    connect(fd.as_raw_fd(), &UnixAddr::new(&door.path()).unwrap()).unwrap();
    fd
}

fn send(fd: &OwnedFd, bytes: &[u8], descriptors: &[RawFd]) {
    let rights = [ControlMessage::ScmRights(descriptors)];
    let rights = if descriptors.is_empty() { &[][..] } else { &rights[..] };
    sendmsg::<()>(fd.as_raw_fd(), &[IoSlice::new(bytes)], rights, MsgFlags::MSG_NOSIGNAL, None)
        .unwrap();
}

/// The answer to a packet.
fn answer(door: &Door, bytes: &[u8], descriptors: &[RawFd]) -> Vec<u8> {
    let fd = connected(door);
    send(&fd, bytes, descriptors);
    received(&fd)
}

fn received(fd: &OwnedFd) -> Vec<u8> {
    let mut buffer = vec![0; 4096];
    let count = recv(fd.as_raw_fd(), &mut buffer, MsgFlags::empty()).unwrap();
    buffer.truncate(count);
    buffer
}

/// The reason and the sentence of a refusal.
fn refusal(answer: &[u8]) -> (u32, String) {
    assert_eq!(&answer[..8], b"door\x01\0\x07\0");
    (u32::from_le_bytes(answer[12..16].try_into().unwrap()), text(&answer[32..]))
}

#[test]
fn a_call_is_one_packet_each_way() {
    let door = Door::of(&[], "cat; echo err >&2; exit 9");
    let answer = answer(&door, &packet(1, 0, 0, [2, 0], b"hi"), &[]);
    assert_eq!(answer, packet(2, 0, 9, [2, 4], b"hierr\n"));
}

#[test]
fn malformed_packets_are_refused_and_the_server_goes_on() {
    let door = Door::of(&[], "cat");
    let before = door.descriptors();
    let mut other_version = packet(1, 0, 0, [0, 0], b"");
    other_version[4] = 2;
    let cases: [(Vec<u8>, &str); 8] = [
        (b"x".to_vec(), "not a packet of a door"),
        (b"GET / HTTP/1.1 and so on, so that it is as long".to_vec(), "not a packet of a door"),
        (other_version, "a packet of version 2, where 1 is known"),
        (packet(99, 0, 0, [0, 0], b""), "a packet of kind 99, which is not expected here"),
        (packet(2, 0, 0, [0, 0], b""), "a packet of kind 2, which is not expected here"),
        (packet(1, 4, 0, [0, 0], b""), "a packet with unknown flags (0x4)"),
        (packet(1, 0, 0, [5, 0], b"hi"), "a packet of another length than its header says"),
        (
            packet(1, 0, 3, [2, 0], b"hi"),
            "a packet with another number of descriptors than its header says",
        ),
    ];
    for (bytes, words) in cases {
        let answer = answer(&door, &bytes, &[]);
        assert_eq!(refusal(&answer), (1, format!("the server has received {words}")));
    }
    let too_many = answer(&door, &packet(1, 0, 0, [0, 0], b""), &[0, 0, 0]);
    assert_eq!(refusal(&too_many).0, 1);
    for length in 0..40 {
        answer(&door, &vec![b'd'; length.max(1)], &[0]);
    }
    door.call(&["still"]).is(0, "still", "");
    door.until_at_rest(before);
}

#[test]
fn a_file_that_can_still_be_changed_is_refused() {
    let door = Door::of(&[], "cat");
    let file = memfd_create(c"t", MFdFlags::MFD_ALLOW_SEALING).unwrap();
    nix::unistd::write(&file, b"hello").unwrap();
    let call = packet(1, 1, 0, [5, 0], b"");
    let not_sealed = "the server has received a packet with a file that is not sealed";
    assert_eq!(refusal(&answer(&door, &call, &[file.as_raw_fd()])).1, not_sealed);
    let (reader, _writer) = nix::unistd::pipe().unwrap();
    assert_eq!(refusal(&answer(&door, &call, &[reader.as_raw_fd()])).1, not_sealed);
    for seals in [1 | 2 | 4, 1 | 2 | 8, 1 | 4 | 8] {
        let file = memfd_create(c"t", MFdFlags::MFD_ALLOW_SEALING).unwrap();
        nix::unistd::write(&file, b"hello").unwrap();
        let seals = nix::fcntl::SealFlag::from_bits_truncate(seals);
        nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_ADD_SEALS(seals)).unwrap();
        assert_eq!(refusal(&answer(&door, &call, &[file.as_raw_fd()])).1, not_sealed);
    }
    let all = nix::fcntl::SealFlag::from_bits_truncate(1 | 2 | 4 | 8);
    nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_ADD_SEALS(all)).unwrap();
    let longer = packet(1, 1, 0, [6, 0], b"");
    assert!(refusal(&answer(&door, &longer, &[file.as_raw_fd()])).1.contains("another length"));
    let answered = answer(&door, &call, &[file.as_raw_fd()]);
    assert_eq!(answered, packet(2, 0, 0, [5, 0], b"hello"));
}

#[test]
fn a_caller_that_sends_nothing_keeps_no_other_waiting() {
    let door = Door::of(&["--max-calls", "1"], "cat");
    let silent: Vec<OwnedFd> = (0..20).map(|_| connected(&door)).collect();
    door.call(&["x"]).is(0, "x", "");
    drop(silent);
    door.call(&["y"]).is(0, "y", "");
}

#[test]
fn a_caller_that_has_closed_its_sending_half_gets_its_answer() {
    let door = Door::of(&[], "sleep 0.1; cat");
    let fd = connected(&door);
    send(&fd, &packet(1, 0, 0, [2, 0], b"hi"), &[]);
    nix::sys::socket::shutdown(fd.as_raw_fd(), nix::sys::socket::Shutdown::Write).unwrap();
    assert_eq!(received(&fd), packet(2, 0, 0, [2, 0], b"hi"));
}

#[test]
fn a_caller_that_sends_and_leaves_is_forgotten() {
    let door = Door::of(&[], "sleep 1000");
    let before = door.descriptors();
    for _ in 0..10 {
        send(&connected(&door), &packet(1, 0, 0, [2, 0], b"hi"), &[]);
    }
    until("its calls are over", || crate::support::children(door.server.pid()).is_empty());
    door.until_at_rest(before);
}

/// Bytes that look random, but are the same in each run.
struct Random(std::vec::IntoIter<u8>);

impl Random {
    /// A number below a limit of up to 256.
    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.0.next().unwrap()) % limit
    }

    /// A packet of a call with faults, if any, and the number of its descriptors.
    fn packet(&mut self) -> (Vec<u8>, usize) {
        let rest: Vec<u8> = (0..self.below(20)).map(|_| self.below(256) as u8).collect();
        let length = if self.below(2) == 0 { rest.len() } else { self.below(30) } as u64;
        let (kind, descriptors) = ([1, 1, 1, 2, 3, 4, 6, 7][self.below(8)], self.below(4));
        let flags = if self.below(2) == 0 { 0 } else { self.below(5) as u32 };
        let lent = if self.below(2) == 0 { descriptors } else { self.below(256) } as u32;
        let mut bytes = packet(kind, flags, lent, [length, self.below(8) as u64 / 7], &rest);
        for _ in 0..self.below(3) {
            let at = self.below(bytes.len());
            bytes[at] = self.below(256) as u8;
        }
        if self.below(8) == 0 {
            bytes.truncate(self.below(bytes.len()) + 1);
        }
        // A revocation would end the door.
        if bytes.get(6) == Some(&5) {
            bytes[6] = 0;
        }
        (bytes, descriptors)
    }
}

#[test]
fn random_packets_leave_nothing_behind() {
    const COUNT: usize = 10_000;
    let door = Door::of_worker(&["--max-fds", "2"], "while read -r n; do echo; done");
    let file = memfd_create(c"t", MFdFlags::MFD_ALLOW_SEALING).unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    door.call(&["x"]).is(0, "\n", "");
    let before = door.descriptors();
    let mut random = Random(crate::sock::sample(COUNT * 100).into_iter());
    for number in 0..COUNT {
        let (bytes, descriptors) = random.packet();
        let rights = [file.as_raw_fd(), null.as_raw_fd(), null.as_raw_fd()];
        let fd = connected(&door);
        send(&fd, &bytes, &rights[..descriptors]);
        // Some leave before the answer.
        if number % 4 > 0 {
            let answer = received(&fd);
            assert!(answer.is_empty() || answer.starts_with(b"door"), "{bytes:?}: {answer:?}");
        }
    }
    door.call(&["still"]).is(0, "\n", "");
    door.until_at_rest(before);
}
