//! The options of every `ls`, and the one place that applies them: which objects are listed, in
//! which order, with which columns. A verb declares its columns and collects the rows.

mod column;
mod filter;
mod json;
mod keys;

use std::marker::PhantomData;

use self::filter::Filter;
use self::keys::{Selection, Sort};
use crate::app::arguments::Plain;
use crate::app::options::Format;
use crate::io::output::{
    self, Headings, Look, Output, Properties, Sizes, Table, Unwritable, Visibility,
};

pub use self::column::{Column, Columns};
pub use self::json::{Json, Shape};

/// The choice of rows and columns of a listing.
#[derive(Debug, clap::Args, Plain)]
pub struct Listing<R: Columns> {
    /// List only those that meet a condition, such as 'size>=64K'
    ///
    /// A condition is a key of --json, one of = != < <= > >= ~, and a value. The option may be repeated: all
    /// conditions hold. Numbers, sizes and permissions compare as numbers; a time, such as 2030-12-31, may
    /// leave out its end; '-' means that the value is missing; an array is equal to each of its elements. ~
    /// searches the text of the column for an extended regular expression, as 'grep -E' does.
    #[arg(long, value_name = "CONDITION", value_parser = filter::<R>)]
    filter: Vec<Filter>,
    /// Sort by these keys; -KEY sorts in descending order
    #[arg(long, value_name = "KEY,...", value_parser = sort::<R>)]
    sort: Option<Sort>,
    /// Print these columns; '+KEY,...' adds columns
    #[arg(short, long, value_name = "KEY,...", value_parser = selection::<R>)]
    output: Option<Selection>,
    /// Print no headings
    #[arg(long)]
    noheadings: bool,
    /// Print sizes as in 1.5M and ages as in 3h
    #[arg(long)]
    human: bool,
    #[command(flatten)]
    format: Format,
    #[arg(skip)]
    rows: PhantomData<fn() -> R>,
}

/// A part of a listing that is printed in blocks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Block {
    /// The first one.
    First,
    /// Another one.
    Later,
}

fn filter<R: Columns>(text: &str) -> Result<Filter, String> {
    Filter::parse(text, &R::keys())
}

fn sort<R: Columns>(text: &str) -> Result<Sort, String> {
    Sort::parse(text, &R::keys())
}

fn selection<R: Columns>(text: &str) -> Result<Selection, String> {
    Selection::parse(text, &R::keys())
}

impl<R: Columns> Listing<R> {
    /// Prints the rows that the options select.
    ///
    /// # Errors
    /// EPIPE, ENOSPC and others if stdout cannot be written to.
    pub fn print(
        &self,
        rows: impl IntoIterator<Item = R>,
        output: &mut Output,
    ) -> Result<(), Unwritable> {
        self.print_with(rows, self.look(), output)
    }

    /// Prints some of many rows, so that not all of them are in memory: only if
    /// [`Listing::is_in_blocks`]. The first block has the headings, unless all of its rows are left
    /// out.
    ///
    /// # Errors
    /// EPIPE, ENOSPC and others if stdout cannot be written to.
    pub fn print_block(
        &self,
        block: Block,
        rows: impl IntoIterator<Item = R>,
        output: &mut Output,
    ) -> Result<(), Unwritable> {
        let look = match block {
            Block::First => self.look(),
            Block::Later => Look { headings: Headings::Omitted, ..self.look() },
        };
        self.print_with(rows, look, output)
    }

    /// Whether rows can be printed in blocks: JSON is one array, and an order needs all rows.
    pub fn is_in_blocks(&self) -> bool {
        self.is_text() && self.sort.is_none()
    }

    fn print_with(
        &self,
        rows: impl IntoIterator<Item = R>,
        look: Look,
        output: &mut Output,
    ) -> Result<(), Unwritable> {
        let values = rows.into_iter().map(|row| row.printed()).collect();
        let choice = Choice {
            filters: &self.filter,
            sort: self.sort.as_ref(),
            selection: self.output.as_ref(),
            format: self.format.into(),
            look,
        };
        choice.print(Table::new(R::keys(), values), output)
    }

    fn look(&self) -> Look {
        Look {
            headings: if self.noheadings { Headings::Omitted } else { Headings::Printed },
            sizes: if self.human { Sizes::Human } else { Sizes::Bytes },
        }
    }

    /// Whether the answer depends on the column of this name, so that a verb need not find what is
    /// expensive to find and not printed.
    pub fn needs(&self, name: &str) -> bool {
        let keys = R::keys();
        let Ok(column) = keys::find(name, &keys) else { return false };
        let is_usual = self.format.is_json() || keys[column].visibility == Visibility::Always;
        let is_printed = match &self.output {
            None => is_usual,
            Some(Selection::These(columns)) => columns.contains(&column),
            Some(Selection::And(columns)) => is_usual || columns.contains(&column),
        };
        is_printed
            || self.filter.iter().any(|filter| filter.uses(column))
            || self.sort.as_ref().is_some_and(|sort| sort.uses(column))
    }

    /// Whether text is printed.
    pub fn is_text(&self) -> bool {
        !self.format.is_json()
    }
}

/// Prints one row, each property on a line of its own.
///
/// # Errors
/// EPIPE, ENOSPC and others if stdout cannot be written to.
pub fn show<R: Columns>(row: &R, format: Format, output: &mut Output) -> Result<(), Unwritable> {
    output.properties(&properties(row), format)
}

/// Prints one row as a line of JSON.
///
/// # Errors
/// EPIPE, ENOSPC and others if stdout cannot be written to.
pub fn line<R: Columns>(row: &R, output: &mut Output) -> Result<(), Unwritable> {
    output.json(&properties(row))
}

/// The properties of one row.
pub fn properties<R: Columns>(row: &R) -> Properties<'static> {
    Properties::new(R::keys(), row.values())
}

/// Prints all columns of all rows, for verbs whose rows no option selects.
///
/// # Errors
/// EPIPE, ENOSPC and others if stdout cannot be written to.
pub fn print_all<R: Columns>(
    rows: &[R],
    format: Format,
    output: &mut Output,
) -> Result<(), Unwritable> {
    let table = Table::new(R::keys(), rows.iter().map(Columns::printed).collect());
    let choice = Choice {
        filters: &[],
        sort: None,
        selection: None,
        format: format.into(),
        look: Look::default(),
    };
    choice.print(table, output)
}

/// The options without the type of the rows, so that their code is there once.
struct Choice<'a> {
    filters: &'a [Filter],
    sort: Option<&'a Sort>,
    selection: Option<&'a Selection>,
    format: output::Format,
    look: Look,
}

impl Choice<'_> {
    fn print(&self, mut table: Table<'_>, output: &mut Output) -> Result<(), Unwritable> {
        for filter in self.filters {
            filter.apply(table.rows_mut());
        }
        if let Some(sort) = self.sort {
            sort.apply(table.rows_mut());
        }
        let usual = match self.format {
            output::Format::Text => table.usual_columns(),
            output::Format::Json => table.all_columns(),
        };
        let columns = match self.selection {
            Some(selection) => selection.of(usual),
            None => usual,
        };
        output.table(&table.with_columns(&columns), self.format, self.look)
    }
}
