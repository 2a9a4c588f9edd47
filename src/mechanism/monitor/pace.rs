//! The time between two looks, which grows with their cost.

use std::time::Duration;

/// The time between two looks: the wanted one, or more if a look is so expensive that this would take more
/// than a fiftieth of a CPU.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    wanted: Duration,
    /// The cost of a look: a mean of the last ones, in which the latest has the most weight.
    cost: Option<Duration>,
}

impl Pace {
    /// The shortest time between two looks.
    pub const LEAST: Duration = Duration::from_millis(100);

    /// The reciprocal of the share of a CPU.
    const SHARE: u32 = 50;

    /// Looks in this interval, if they are cheap.
    pub fn new(wanted: Duration) -> Self {
        Self { wanted: wanted.max(Self::LEAST), cost: None }
    }

    /// Records the cost of a look.
    pub fn spent(&mut self, cost: Duration) {
        self.cost = Some(self.cost.map_or(cost, |mean| (mean * 3 + cost) / 4));
    }

    /// The time from one look to the next.
    pub fn interval(self) -> Duration {
        self.wanted.max(self.cost.unwrap_or_default().saturating_mul(Self::SHARE))
    }

    /// Whether it is longer than the wanted one.
    pub fn is_stretched(self) -> bool {
        self.interval() > self.wanted
    }

    /// The interval that was asked for.
    pub fn wanted(self) -> Duration {
        self.wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn cheap_looks_have_the_wanted_interval_and_expensive_ones_take_two_percent() {
        let mut pace = Pace::new(ms(2000));
        assert_eq!((pace.interval(), pace.is_stretched()), (ms(2000), false));
        pace.spent(ms(40));
        assert_eq!((pace.interval(), pace.is_stretched()), (ms(2000), false));
        pace.spent(ms(200));
        assert_eq!((pace.interval(), pace.is_stretched()), (ms(4000), true));
    }

    #[test]
    fn one_expensive_look_is_forgotten() {
        let mut pace = Pace::new(ms(1000));
        pace.spent(ms(200));
        assert!(pace.is_stretched());
        (0..10).for_each(|_| pace.spent(ms(1)));
        assert!(!pace.is_stretched());
    }

    #[test]
    fn the_interval_has_a_minimum() {
        assert_eq!(Pace::new(Duration::ZERO).interval(), Pace::LEAST);
    }
}
