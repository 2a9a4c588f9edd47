//! The mechanisms that meet some needs, the best first.

use super::facts::{MECHANISMS, Mechanism};
use super::needs::{Fit, Need};

/// A mechanism, and how far it meets each need.
#[derive(Debug)]
pub struct Proposal {
    pub mechanism: &'static Mechanism,
    pub verdicts: Vec<(Need, Fit, &'static str)>,
}

impl Proposal {
    /// The needs that it does not meet.
    pub fn unmet(&self) -> usize {
        self.verdicts.iter().filter(|(_, fit, _)| *fit == Fit::No).count()
    }

    fn points(&self) -> usize {
        self.verdicts.iter().map(|(_, fit, _)| fit.points()).sum()
    }
}

/// The mechanisms that meet all needs; if there is none, those that leave the fewest unmet, but at
/// least one met. Of equals, the first of the table comes first.
pub fn proposals(needs: &[Need]) -> Vec<Proposal> {
    let mut all: Vec<Proposal> = MECHANISMS
        .iter()
        .map(|mechanism| {
            let verdict = |&need: &Need| {
                let (fit, reason) = mechanism.fit(need);
                (need, fit, reason)
            };
            Proposal { mechanism, verdicts: needs.iter().map(verdict).collect() }
        })
        .collect();
    let fewest = all.iter().map(Proposal::unmet).min().unwrap_or(0);
    all.retain(|proposal| proposal.unmet() == fewest && proposal.points() > 0);
    all.sort_by_key(|proposal| std::cmp::Reverse(proposal.points()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(needs: &[Need]) -> Vec<&'static str> {
        proposals(needs).iter().map(|proposal| proposal.mechanism.name).collect()
    }

    #[test]
    fn a_mechanism_that_meets_all_needs_fully_comes_first() {
        let names = names(&[Need::ManyWriters, Need::Messages, Need::SurviveCrash]);
        assert_eq!(names[..3], ["queue", "mq", "mq-sysv"]);
        assert!(!names.contains(&"tcp"), "{names:?}");
    }

    #[test]
    fn needs_that_no_mechanism_meets_together_leave_those_that_miss_the_fewest() {
        let needs = [Need::Fast, Need::SurviveReboot, Need::Network];
        let proposals = proposals(&needs);
        assert!(!proposals.is_empty());
        assert!(proposals.iter().all(|proposal| proposal.unmet() == 1), "{proposals:?}");
    }

    #[test]
    fn every_need_is_met_by_a_mechanism() {
        for need in Need::ALL {
            assert_eq!(proposals(&[need])[0].verdicts[0].1, Fit::Yes, "{need:?}");
        }
    }

    #[test]
    fn no_mechanism_names_a_need_twice_or_without_a_reason() {
        for mechanism in MECHANISMS {
            for (index, (need, fit, reason)) in mechanism.meets.iter().enumerate() {
                assert_ne!(*fit, Fit::No, "{} {need:?}", mechanism.name);
                assert!(!reason.is_empty(), "{} {need:?}", mechanism.name);
                let others = &mechanism.meets[index + 1..];
                assert!(others.iter().all(|(other, ..)| other != need), "{need:?}");
            }
        }
    }
}
