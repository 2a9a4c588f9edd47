//! `ipc guide`: the mechanisms, and how to choose among them.

mod facts;
mod json;
mod needs;
mod rank;
mod text;

use anyhow::anyhow;

use self::facts::{MECHANISMS, Mechanism};
use self::needs::Need;
use self::rank::{Proposal, proposals};
use crate::app::arguments::Plain;
use crate::app::command::{Action, Described, Example};
use crate::app::context::Context;
use crate::app::listing::{Json, print_all};
use crate::app::options::Format;
use crate::base::exit::{Exit, Failure, about};
use crate::io::output::Output;

/// The text of the guide, for the manual.
pub struct Text {
    /// The tables of all mechanisms.
    pub tables: String,
    /// The words for needs, and their meanings.
    pub needs: Vec<(&'static str, &'static str)>,
    /// The names of the mechanisms, and what is known of them.
    pub mechanisms: Vec<(&'static str, String)>,
}

impl Text {
    /// The whole guide.
    pub fn whole() -> Self {
        Self {
            tables: text::tables(),
            needs: Need::ALL.iter().map(|need| (need.word(), need.meaning())).collect(),
            mechanisms: MECHANISMS.iter().map(|m| (m.name, text::page(m))).collect(),
        }
    }
}

/// Choose a mechanism
///
/// Without an operand, the guide prints a table of all mechanisms, and the words for needs. With
/// the name of a mechanism or a noun, it prints what is known of it, with its traps and a command
/// to start with. With one or more needs, it prints the mechanisms that meet them, the best first,
/// with the reasons: status 1 if none meets all of them.
#[derive(Debug, clap::Args, Plain)]
pub struct Guide {
    /// A mechanism or a noun, or words for needs
    #[arg(value_name = "MECHANISM|NEED")]
    words: Vec<String>,
    #[command(flatten)]
    format: Format,
}

impl Action for Guide {
    const EXAMPLES: &'static [Example] = &[
        ("Compare all mechanisms", "ipc guide"),
        ("Choose one", "ipc guide many-writers messages survive-crash"),
        ("Read about one", "ipc guide mq"),
        ("Use the facts in a program", "ipc guide --json | jq '.[].mechanism'"),
    ];

    const JSON: &'static [Json] = &[
        Json::array::<&'static Mechanism>().of("mechanisms"),
        Json::array::<Proposal>().of("needs"),
    ];

    fn words() -> Vec<Described> {
        let mechanisms = MECHANISMS.iter().map(|mechanism| (mechanism.name, mechanism.about));
        mechanisms.chain(Need::ALL.iter().map(|need| (need.word(), need.meaning()))).collect()
    }

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        match Question::of(&self.words)? {
            Question::All => show_all(self.format, output),
            Question::Mechanisms(found) => show_each(&found, self.format, output),
            Question::Needs(needs) => propose(&needs, self.format, output),
        }
    }
}

/// What the words ask for.
enum Question {
    All,
    Mechanisms(Vec<&'static Mechanism>),
    Needs(Vec<Need>),
}

impl Question {
    fn of(words: &[String]) -> anyhow::Result<Self> {
        if words.is_empty() {
            return Ok(Self::All);
        }
        if let [word] = words {
            let found = MECHANISMS.iter().filter(|m| m.name == word || m.noun == word);
            let found: Vec<&Mechanism> = found.collect();
            if !found.is_empty() {
                return Ok(Self::Mechanisms(found));
            }
        }
        let need = |word: &String| Need::called(word).ok_or_else(|| unknown(word));
        let mut needs = words.iter().map(need).collect::<anyhow::Result<Vec<Need>>>()?;
        let mut seen = Vec::new();
        needs.retain(|need| {
            !seen.contains(need) && {
                seen.push(*need);
                true
            }
        });
        Ok(Self::Needs(needs))
    }
}

fn unknown(word: &str) -> anyhow::Error {
    let is_mechanism = MECHANISMS.iter().any(|m| m.name == word || m.noun == word);
    let reason = match is_mechanism {
        true => "a mechanism is the only operand",
        false => "neither a mechanism nor a need",
    };
    let failure = Failure::new(Exit::Usage, reason);
    about(failure.hint("'ipc guide' lists the mechanisms and the words for needs"), word)
}

fn show_all(format: Format, output: &mut Output) -> anyhow::Result<Exit> {
    if format.is_json() {
        print_all(&MECHANISMS.iter().collect::<Vec<_>>(), format, output)?;
        return Ok(Exit::Done);
    }
    output.text(format_args!("{}\nNeeds:\n{}", text::tables(), text::words()))?;
    Ok(Exit::Done)
}

fn show_each(
    found: &[&'static Mechanism],
    format: Format,
    output: &mut Output,
) -> anyhow::Result<Exit> {
    if format.is_json() {
        print_all(found, format, output)?;
        return Ok(Exit::Done);
    }
    for (index, mechanism) in found.iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        output.text(format_args!("{gap}{}", text::page(mechanism)))?;
    }
    Ok(Exit::Done)
}

fn propose(needs: &[Need], format: Format, output: &mut Output) -> anyhow::Result<Exit> {
    let proposals = proposals(needs);
    if format.is_json() {
        print_all(&proposals, format, output)?;
    } else {
        for (index, proposal) in proposals.iter().enumerate() {
            output.text(format_args!("{}", paragraph(index + 1, proposal)))?;
        }
    }
    match proposals.first() {
        Some(best) if best.unmet() == 0 => Ok(Exit::Done),
        _ => {
            output.error(&anyhow!(Failure::new(Exit::No, "no mechanism meets all of these needs")));
            Ok(Exit::No)
        }
    }
}

/// A proposal, with its rank.
fn paragraph(rank: usize, proposal: &Proposal) -> String {
    let mechanism = proposal.mechanism;
    let mut text = match rank {
        1 => String::new(),
        _ => "\n".to_owned(),
    };
    text += &format!("{rank}. {}: {}\n", mechanism.name, mechanism.about);
    for (need, fit, reason) in &proposal.verdicts {
        text += &text::verdict(need.word(), fit.word(), reason);
    }
    text + &format!("  $ {}\n", mechanism.start)
}
