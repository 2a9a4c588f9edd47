//! The parts that processes take: asking and answering, sending and receiving.

use std::sync::atomic::Ordering;

use super::channel::{Input, Output};
use super::control::{Control, SAMPLES};
use super::message::{Depth, Loss, Position, Verifier, Writer};
use super::trial::{Error, Trial};
use crate::base::errno::Errno;
use crate::sys::time;

/// The number of messages before those that count. Each is verified whole.
const WARM_UP: u64 = 500;

/// The bytes of these messages, if they are long.
const WARM_UP_BYTES: u64 = 8 << 20;

fn warm_up(trial: &Trial) -> u64 {
    WARM_UP.min(WARM_UP_BYTES / trial.size as u64).max(10)
}

/// Sends a message, waits for the answer of the same size, and takes half of the time.
pub fn ask(
    input: &mut dyn Input,
    output: &mut dyn Output,
    trial: &Trial,
    control: &Control,
) -> Result<(), Error> {
    let mut writer = Writer::new(trial.size, 0);
    let mut verifier = Verifier::new(trial.size, 1, Loss::Refused);
    for _ in 0..warm_up(trial) {
        output.send(writer.next(Position::Inner))?;
        verifier.check(input.receive()?, Depth::Whole)?;
    }
    control.begin().store(time::monotonic(), Ordering::Release);
    let mut has_sample = false;
    loop {
        let is_last = has_sample && control.is_stopped();
        let position = if is_last { Position::Last } else { Position::Inner };
        let message = writer.next(position);
        let begin = time::monotonic();
        output.send(message)?;
        let answer = input.receive()?;
        let end = time::monotonic();
        verifier.check(answer, Depth::Whole)?;
        if is_last {
            return Ok(());
        }
        if !control.add((end - begin) / 2)? {
            control.stop();
        }
        has_sample = true;
    }
}

/// Sends each message back, and verifies it while its sender verifies the answer.
pub fn answer(
    input: &mut dyn Input,
    output: &mut dyn Output,
    mut verifier: Verifier,
) -> Result<(), Error> {
    loop {
        let message = input.receive()?;
        output.send(message)?;
        if verifier.check(message, Depth::Whole)? == Position::Last {
            return Ok(());
        }
    }
}

/// Sends messages until the measurement is stopped.
pub fn send_all(
    output: &mut dyn Output,
    mut writer: Writer,
    (trial, loss): (&Trial, Loss),
    control: &Control,
) -> Result<(), Error> {
    for _ in 0..warm_up(trial) {
        output.send(writer.next(Position::Inner))?;
    }
    let mut count = 0;
    while !control.is_stopped() {
        output.send(writer.next(Position::Inner))?;
        count += 1;
    }
    finish_sending(output, &mut writer, loss, control)?;
    control.sent().fetch_add(warm_up(trial) + count + 1, Ordering::AcqRel);
    Ok(())
}

/// Sends the last message; again and again, if the mechanism may lose it.
fn finish_sending(
    output: &mut dyn Output,
    writer: &mut Writer,
    loss: Loss,
    control: &Control,
) -> Result<(), Error> {
    output.send(writer.next(Position::Last))?;
    while loss == Loss::Counted && !control.is_finished() {
        time::sleep_until(time::monotonic() + 1_000_000);
        match output.send(writer.again()) {
            // The receiver has ended meanwhile.
            Err(Error::Kernel(_, Errno(libc::ECONNREFUSED | libc::EPIPE))) => {}
            result => result?,
        }
    }
    Ok(())
}

/// Receives messages until each sender has sent its last.
pub fn receive_all(
    input: &mut dyn Input,
    mut verifier: Verifier,
    trial: &Trial,
    control: &Control,
) -> Result<(), Error> {
    let mut left = trial.senders;
    for _ in 0..warm_up(trial) * trial.senders as u64 {
        if verifier.check(input.receive()?, Depth::Whole)? == Position::Last {
            left -= 1;
        }
    }
    let warm = verifier.received;
    control.begin().store(time::monotonic(), Ordering::Release);
    while left > 0 {
        if verifier.check(input.receive()?, Depth::Ends)? == Position::Last {
            left -= 1;
        }
    }
    control.end().store(time::monotonic(), Ordering::Release);
    control.timed().store(verifier.received - warm, Ordering::Release);
    control.received().store(verifier.received, Ordering::Release);
    control.finish();
    Ok(())
}

/// The sleep before a message ends this much before the message is due: the rest is spent spinning,
/// because a timer may be late.
const EARLY: u64 = 100_000;

/// The time at which a message is due, in nanoseconds after the first.
fn due(number: u64, rate: u64) -> u64 {
    (u128::from(number) * 1_000_000_000 / u128::from(rate)) as u64
}

/// Sends messages when they are due. A message that is late is sent at once, and the later ones are
/// due as before, so that a pause counts for each message that it delays.
pub fn send_in_time(
    output: &mut dyn Output,
    rate: u64,
    (trial, loss): (&Trial, Loss),
    control: &Control,
) -> Result<(), Error> {
    let mut writer = Writer::new(trial.size, 0);
    for _ in 0..warm_up(trial) {
        output.send(writer.next(Position::Inner))?;
    }
    let begin = time::monotonic() + 1_000_000;
    control.begin().store(begin, Ordering::Release);
    let mut count = 0;
    while !control.is_stopped() && count < SAMPLES {
        let at = begin + due(count, rate);
        if at > time::monotonic() + EARLY {
            time::sleep_until(at - EARLY);
        }
        while time::monotonic() < at {
            std::hint::spin_loop();
        }
        output.send(writer.next(Position::Inner))?;
        count += 1;
    }
    finish_sending(output, &mut writer, loss, control)?;
    control.sent().store(warm_up(trial) + count + 1, Ordering::Release);
    Ok(())
}

/// Takes the time of each message from the moment at which it was due.
pub fn receive_in_time(
    input: &mut dyn Input,
    mut verifier: Verifier,
    (trial, rate): (&Trial, u64),
    control: &Control,
) -> Result<(), Error> {
    for _ in 0..warm_up(trial) {
        verifier.check(input.receive()?, Depth::Whole)?;
    }
    let warm = warm_up(trial);
    loop {
        let message = input.receive()?;
        let now = time::monotonic();
        if verifier.check(message, Depth::Whole)? == Position::Last {
            break;
        }
        let number = verifier.last_number() - warm - 1;
        let at = control.begin().load(Ordering::Acquire) + due(number, rate);
        control.add(now.saturating_sub(at))?;
    }
    control.end().store(time::monotonic(), Ordering::Release);
    control.timed().store(verifier.received.saturating_sub(warm + 1), Ordering::Release);
    control.received().store(verifier.received, Ordering::Release);
    control.finish();
    Ok(())
}
