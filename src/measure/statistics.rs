//! What samples say: percentiles, and the spread between rounds.

/// The percentiles that are reported, in the order of the columns.
pub const PERCENTILES: [(&str, f64); 4] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

/// Samples in order.
#[derive(Clone, Debug, Default)]
pub struct Distribution(Vec<u64>);

impl Distribution {
    pub fn new(mut samples: Vec<u64>) -> Self {
        samples.sort_unstable();
        Self(samples)
    }

    /// All samples, in ascending order.
    pub fn samples(&self) -> &[u64] {
        &self.0
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The least value that a part of the samples, such as 0.99, does not exceed.
    pub fn percentile(&self, part: f64) -> u64 {
        let rank = (part * self.0.len() as f64).ceil() as usize;
        let index = rank.clamp(1, self.0.len().max(1)) - 1;
        self.0.get(index).copied().unwrap_or(0)
    }

    pub fn median(&self) -> u64 {
        self.percentile(0.5)
    }

    pub fn max(&self) -> u64 {
        self.0.last().copied().unwrap_or(0)
    }
}

/// The median of some numbers, and the difference of the greatest and the least as a part of it.
pub fn median_and_spread(numbers: &[f64]) -> (f64, f64) {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some((least, greatest)) = sorted.first().zip(sorted.last()) else { return (0.0, 0.0) };
    let middle = sorted[(sorted.len() - 1) / 2].midpoint(sorted[sorted.len() / 2]);
    let spread = if middle > 0.0 { (greatest - least) / middle } else { 0.0 };
    (middle, spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_sample_that_so_many_do_not_exceed() {
        let thousand = Distribution::new((1..=1000).rev().collect());
        let values = PERCENTILES.map(|(_, part)| thousand.percentile(part));
        assert_eq!(values, [500, 900, 990, 999]);
        assert_eq!(thousand.max(), 1000);
        assert_eq!(Distribution::new(vec![7]).percentile(0.999), 7);
        assert_eq!(Distribution::default().percentile(0.5), 0);
    }

    #[test]
    fn the_spread_is_a_part_of_the_median() {
        assert_eq!(median_and_spread(&[9.0, 10.0, 12.0]), (10.0, 0.3));
        assert_eq!(median_and_spread(&[2.0, 4.0]), (3.0, 2.0 / 3.0));
        assert_eq!(median_and_spread(&[]), (0.0, 0.0));
    }
}
