//! What a live view shows of an object besides: how full it is, how many wait for it, and how much went
//! through it.

/// The activity of an object, as far as the kernel or the object itself counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Activity {
    /// How full it is.
    pub fill: Option<Fill>,
    /// The number of processes or clients that wait for it.
    pub waiting: u32,
    /// What went through it since it was made.
    pub totals: Traffic<u64>,
}

/// The part of an object in use, and its limit, in one unit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fill {
    /// The part in use.
    pub used: u64,
    /// The limit.
    pub limit: u64,
}

impl Fill {
    /// The part of a limit; `None` without a limit.
    pub fn new(used: u64, limit: u64) -> Option<Self> {
        (limit > 0).then_some(Self { used, limit })
    }

    /// The share in use, from 0 to 1.
    pub fn share(self) -> f64 {
        (self.used as f64 / self.limit as f64).min(1.0)
    }
}

/// Messages and bytes in both directions: totals, or rates in units per second. What is not counted is
/// missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic<T> {
    /// Messages that were sent to the object.
    pub messages_in: Option<T>,
    /// Messages that were received from it.
    pub messages_out: Option<T>,
    /// Bytes that were sent to the object.
    pub bytes_in: Option<T>,
    /// Bytes that were received from it.
    pub bytes_out: Option<T>,
}

impl<T: Copy> Traffic<T> {
    /// The results of a function of each number and that of another; missing where one is missing.
    pub fn with<U>(self, other: Self, function: impl Fn(T, T) -> Option<U>) -> Traffic<U> {
        let both = |one: Option<T>, other: Option<T>| {
            one.zip(other).and_then(|(one, other)| function(one, other))
        };
        Traffic {
            messages_in: both(self.messages_in, other.messages_in),
            messages_out: both(self.messages_out, other.messages_out),
            bytes_in: both(self.bytes_in, other.bytes_in),
            bytes_out: both(self.bytes_out, other.bytes_out),
        }
    }
}

impl Traffic<f64> {
    /// The messages of the busier direction.
    pub fn messages(self) -> Option<f64> {
        greater(self.messages_in, self.messages_out)
    }

    /// The bytes of the busier direction.
    pub fn bytes(self) -> Option<f64> {
        greater(self.bytes_in, self.bytes_out)
    }
}

fn greater(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_a_limit_and_is_at_most_one() {
        assert_eq!(Fill::new(1, 0), None);
        assert_eq!(Fill::new(1, 4).map(Fill::share), Some(0.25));
        assert_eq!(Fill::new(9, 4).map(Fill::share), Some(1.0));
    }

    #[test]
    fn the_busier_direction_is_that_of_a_counted_number() {
        let rates = Traffic { messages_out: Some(2.0), bytes_in: Some(1.0), ..Traffic::default() };
        assert_eq!((rates.messages(), rates.bytes()), (Some(2.0), Some(1.0)));
        let both = Traffic { messages_in: Some(3.0), ..rates };
        assert_eq!(both.messages(), Some(3.0));
        assert_eq!(Traffic::default().messages(), None);
    }
}
