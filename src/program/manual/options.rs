//! The section OPTIONS: every option and operand, also those that `-h` leaves out.

use clap::{Arg, Command};

use super::page::{Block, Font, Page, Text, paragraphs};

/// Writes the options, then those under a heading of their own, then the operands.
pub fn write(page: &mut Page, mut command: Command) {
    // clap numbers the options in their order then.
    command.build();
    let arguments: Vec<&Arg> = command.get_arguments().filter(|arg| !arg.is_hide_set()).collect();
    let (operands, mut options): (Vec<&Arg>, Vec<&Arg>) =
        arguments.into_iter().partition(|arg| arg.is_positional());
    options.sort_by_key(|arg| arg.get_display_order());
    page.section("OPTIONS");
    let mut headings: Vec<Option<&str>> = vec![None];
    for option in &options {
        let heading = option.get_help_heading();
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        if let Some(heading) = heading {
            page.part(heading);
        }
        for option in options.iter().filter(|option| option.get_help_heading() == heading) {
            page.push(Block::Term(term_of_option(option), body(option)));
        }
    }
    if !operands.is_empty() {
        page.section("OPERANDS");
        for operand in operands {
            page.push(Block::Term(Text(vec![(Font::Italic, word_of(operand))]), body(operand)));
        }
    }
}

/// The names of an option, and the word for its value.
fn term_of_option(option: &Arg) -> Text {
    let mut term = Text::default();
    if let Some(letter) = option.get_short() {
        term = term.and(Font::Bold, format!("-{letter}"));
    }
    if let Some(long) = option.get_long() {
        if !term.is_empty() {
            term = term.and(Font::Plain, ", ");
        }
        term = term.and(Font::Bold, format!("--{long}"));
    }
    if !option.get_action().takes_values() {
        return term;
    }
    match option.is_require_equals_set() {
        true => {
            term.and(Font::Plain, "[=").and(Font::Italic, word_of(option)).and(Font::Plain, "]")
        }
        false => term.and(Font::Plain, " ").and(Font::Italic, word_of(option)),
    }
}

/// The explanation of an argument: its help, its default and the words that it accepts.
fn body(argument: &Arg) -> Vec<Block> {
    let help = argument.get_long_help().or_else(|| argument.get_help());
    let mut body = paragraphs(&help.map(ToString::to_string).unwrap_or_default());
    let end = |mut text: Text| {
        if let Some((_, last)) = text.0.last_mut() {
            last.push_str(if last.ends_with(['.', ':', '?']) { "" } else { "." });
        }
        text
    };
    for block in &mut body {
        if let Block::Paragraph(text) = block {
            *text = end(std::mem::take(text));
        }
    }
    let takes_values = argument.get_action().takes_values();
    let defaults = argument.get_default_values().iter().map(|value| value.to_string_lossy());
    let defaults: Vec<_> = defaults.filter(|value| !value.is_empty()).collect();
    if takes_values && !argument.is_hide_default_value_set() && !defaults.is_empty() {
        let text = Text::plain("The default is ").and(Font::Bold, defaults.join(" "));
        body.push(Block::Paragraph(text.and(Font::Plain, ".")));
    }
    let choices = argument.get_possible_values();
    let visible: Vec<_> = choices.iter().filter(|choice| !choice.is_hide_set()).collect();
    // The values of an option without a value are those of bool.
    if takes_values && !visible.is_empty() {
        let has_help = visible.iter().any(|choice| choice.get_help().is_some());
        if has_help {
            body.extend(visible.iter().map(|choice| {
                let help = choice.get_help().map(ToString::to_string).unwrap_or_default();
                Block::Term(Text::bold(choice.get_name()), paragraphs(&help))
            }));
        } else {
            let mut text = Text::plain("One of ");
            for (index, choice) in visible.iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                text = text.and(Font::Plain, comma).and(Font::Bold, choice.get_name());
            }
            body.push(Block::Paragraph(text.and(Font::Plain, ".")));
        }
    }
    body
}

/// The word for the value in help and manual.
pub fn word_of(argument: &Arg) -> String {
    match argument.get_value_names() {
        Some([name, ..]) => name.to_string(),
        _ => argument.get_id().as_str().to_uppercase(),
    }
}
