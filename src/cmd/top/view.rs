//! The choice, the order and the arrangement of rows: by kind, by process, or as one list.

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;

use super::sort::Sort;
use crate::app::arguments::choice;
use crate::base::text::escape;
use crate::mechanism::monitor::{Class, Frame, Id, Item};
use crate::mechanism::survey::Traffic;
use crate::mechanism::survey::relations::How;

/// The arrangement of rows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Arrangement {
    /// Below their kinds
    #[default]
    Kinds,
    /// Below the processes that use them, as a tree
    Processes,
    /// One list
    List,
}

choice!(Arrangement);

impl Arrangement {
    /// The next one, in a circle.
    pub fn next(self) -> Self {
        match self {
            Self::Kinds => Self::Processes,
            Self::Processes => Self::List,
            Self::List => Self::Kinds,
        }
    }

    /// Its words in the title.
    pub fn words(self) -> &'static str {
        match self {
            Self::Kinds => "by kind",
            Self::Processes => "by process",
            Self::List => "one list",
        }
    }
}

/// What identifies a row from one frame to the next.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Node {
    /// A kind.
    Class(Class),
    /// A process.
    Process(i32),
    /// An object.
    Object(Id),
    /// An object below a process that uses it.
    Use(i32, Id),
}

/// A row of the screen.
#[derive(Clone, Debug)]
pub struct Row {
    /// What identifies it.
    pub node: Node,
    /// For each level of the tree whether the row, or the row that it is below, is the last one there.
    pub levels: Vec<bool>,
    /// Whether its children are shown; `None` without children.
    pub is_open: Option<bool>,
    /// What it shows.
    pub content: Content,
}

/// What a row shows. An object is an index of the items of a frame.
#[derive(Clone, Debug)]
pub enum Content {
    /// A kind, or a process, with the sums of its objects.
    Group(Sums),
    /// An object.
    Object(usize),
    /// An object that a process uses.
    Use(usize, How),
}

/// The sums of several objects.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// The number of objects.
    pub objects: usize,
    /// The bytes in them.
    pub size: u64,
    /// The number that wait for them.
    pub waiting: u32,
    /// The messages and bytes per second of the busier directions.
    pub rates: Traffic<f64>,
    /// Whether one of them is a lock in a cycle of waits.
    pub is_in_cycle: bool,
}

impl Sums {
    fn of<'a>(items: impl Iterator<Item = &'a Item>) -> Self {
        let mut sums = Self::default();
        let plus = |sum: Option<f64>, rate: Option<f64>| match (sum, rate) {
            (Some(sum), Some(rate)) => Some(sum + rate),
            (sum, rate) => sum.or(rate),
        };
        for item in items.filter(|item| !item.is_gone()) {
            sums.objects += 1;
            sums.size = sums.size.saturating_add(item.object.size.unwrap_or(0));
            sums.waiting = sums.waiting.saturating_add(item.object.activity.waiting);
            sums.rates.messages_in = plus(sums.rates.messages_in, item.rates.messages());
            sums.rates.bytes_in = plus(sums.rates.bytes_in, item.rates.bytes());
            sums.is_in_cycle |= item.is_in_cycle;
        }
        sums
    }
}

/// The choice, the order and the arrangement of rows.
#[derive(Clone, Debug)]
pub struct View {
    /// The arrangement.
    pub arrangement: Arrangement,
    /// What objects are sorted by.
    pub sort: Sort,
    /// Whether the order is the opposite of the usual one.
    pub is_reversed: bool,
    /// The text that the rows have; empty for all rows.
    pub filter: String,
    /// The owner of the objects.
    pub owner: Option<u32>,
    /// Whether only objects are shown that something waits for.
    pub only_waiting: bool,
    /// The rows whose children are not shown.
    pub collapsed: BTreeSet<Node>,
}

impl View {
    /// The rows of a frame.
    pub fn rows(&self, frame: &Frame) -> Vec<Row> {
        let mut chosen: Vec<usize> = (0..frame.items.len())
            .filter(|&index| self.includes(&frame.items[index], frame))
            .collect();
        chosen.sort_by(|&one, &other| self.order(&frame.items[one], &frame.items[other]));
        match self.arrangement {
            Arrangement::Kinds => self.by_kind(frame, &chosen),
            Arrangement::Processes => Tree::new(self, frame, &chosen).rows(),
            Arrangement::List => {
                let row = |&index: &usize| object_row(frame, index, Vec::new());
                chosen.iter().map(row).collect()
            }
        }
    }

    fn order(&self, one: &Item, other: &Item) -> std::cmp::Ordering {
        let order = self.sort.order(one, other);
        if self.is_reversed { order.reverse() } else { order }
    }

    fn includes(&self, item: &Item, frame: &Frame) -> bool {
        let object = &item.object;
        let is_of_owner = self.owner.is_none_or(|owner| object.uid == Some(owner));
        let is_awaited = !self.only_waiting || object.activity.waiting > 0;
        is_of_owner && is_awaited && (self.filter.is_empty() || has_text(item, frame, &self.filter))
    }

    fn by_kind(&self, frame: &Frame, chosen: &[usize]) -> Vec<Row> {
        let mut of_class: BTreeMap<Class, Vec<usize>> = BTreeMap::new();
        for &index in chosen {
            of_class.entry(frame.items[index].class()).or_default().push(index);
        }
        let mut rows = Vec::new();
        for (class, indices) in of_class {
            let node = Node::Class(class);
            let is_open = !self.collapsed.contains(&node);
            let sums = Sums::of(indices.iter().map(|&index| &frame.items[index]));
            let content = Content::Group(sums);
            rows.push(Row { node, levels: Vec::new(), is_open: Some(is_open), content });
            if is_open {
                let last = indices.len() - 1;
                let objects = indices.iter().enumerate();
                rows.extend(objects.map(|(at, &index)| object_row(frame, index, vec![at == last])));
            }
        }
        rows
    }
}

fn object_row(frame: &Frame, index: usize, levels: Vec<bool>) -> Row {
    let node = Node::Object(frame.items[index].id.clone());
    Row { node, levels, is_open: None, content: Content::Object(index) }
}

/// Whether an object, its kind, or a process that uses it has this text, in whichever case.
pub fn has_text(item: &Item, frame: &Frame, text: &str) -> bool {
    let text = text.to_lowercase();
    let has = |bytes: &[u8]| escape(bytes).to_lowercase().contains(&text);
    let waiters = item.object.waiters.iter().copied().flatten();
    let mut pids = item.object.holders.iter().map(|used| used.pid).chain(waiters);
    has(item.id.name.as_encoded_bytes())
        || item.class().word().contains(&text)
        || has(item.object.detail.as_bytes())
        || pids.any(|pid| has(frame.processes.command(pid)) || pid.to_string() == text)
}

/// The tree of processes, with the objects that they use.
struct Tree<'a> {
    view: &'a View,
    frame: &'a Frame,
    /// The objects of each process, in order.
    uses: BTreeMap<i32, Vec<(usize, How)>>,
    /// The processes below each process; those without one below 0.
    children: BTreeMap<i32, Vec<i32>>,
}

impl<'a> Tree<'a> {
    fn new(view: &'a View, frame: &'a Frame, chosen: &[usize]) -> Self {
        let mut uses: BTreeMap<i32, Vec<(usize, How)>> = BTreeMap::new();
        for &index in chosen {
            for (pid, how) in relations(&frame.items[index]) {
                uses.entry(pid).or_default().push((index, how));
            }
        }
        let among: BTreeSet<i32> = uses.keys().copied().collect();
        let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for &pid in &among {
            let parent = frame.processes.ancestor_among(pid, &among).unwrap_or(0);
            children.entry(parent).or_default().push(pid);
        }
        Self { view, frame, uses, children }
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for &pid in self.children.get(&0).into_iter().flatten() {
            self.add(pid, &[], &mut rows);
        }
        rows
    }

    /// Adds the row of a process, those of its objects, and those of the processes below it.
    fn add(&self, pid: i32, levels: &[bool], rows: &mut Vec<Row>) {
        let node = Node::Process(pid);
        let is_open = !self.view.collapsed.contains(&node);
        let uses = self.uses.get(&pid).map_or(&[][..], Vec::as_slice);
        let sums = Sums::of(uses.iter().map(|&(index, _)| &self.frame.items[index]));
        let content = Content::Group(sums);
        rows.push(Row { node, levels: levels.to_vec(), is_open: Some(is_open), content });
        if !is_open {
            return;
        }
        let children = self.children.get(&pid).map_or(&[][..], Vec::as_slice);
        let below = |is_last: bool| [levels, &[is_last]].concat();
        for (at, &(index, how)) in uses.iter().enumerate() {
            rows.push(Row {
                node: Node::Use(pid, self.frame.items[index].id.clone()),
                levels: below(children.is_empty() && at + 1 == uses.len()),
                is_open: None,
                content: Content::Use(index, how),
            });
        }
        for (at, &child) in children.iter().enumerate() {
            self.add(child, &below(at + 1 == children.len()), rows);
        }
    }
}

/// The processes that use an object or wait for it, each once.
fn relations(item: &Item) -> Vec<(i32, How)> {
    if item.is_gone() {
        return Vec::new();
    }
    let mut found: Vec<(i32, How)> = Vec::new();
    let holders = item.object.holders.iter().map(|used| (used.pid, used.by.into()));
    let waiters = item.object.waiters.iter().flatten().map(|&pid| (pid, How::Waiting));
    for (pid, how) in holders.chain(waiters) {
        if !found.iter().any(|&(other, _)| other == pid) {
            found.push((pid, how));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::monitor::History;
    use crate::mechanism::survey::{By, Kind, Object, Use};

    fn view() -> View {
        View {
            arrangement: Arrangement::Kinds,
            sort: Sort::Name,
            is_reversed: false,
            filter: String::new(),
            owner: None,
            only_waiting: false,
            collapsed: BTreeSet::new(),
        }
    }

    fn object(kind: Kind, name: &str, size: u64, pids: &[i32]) -> (Class, Object) {
        let mut object = Object::new(kind, name);
        object.size = Some(size);
        object.holders = pids.iter().map(|&pid| Use { pid, by: By::Mapping }).collect();
        (Class::Of(kind), object)
    }

    fn frame(objects: Vec<(Class, Object)>) -> Frame {
        History::default().advance(objects, 1)
    }

    fn shown(view: &View, frame: &Frame) -> Vec<String> {
        let text = |row: &Row| match &row.node {
            Node::Class(class) => class.word().to_owned(),
            Node::Process(pid) => pid.to_string(),
            Node::Object(id) => format!(" {}", id.name.display()),
            Node::Use(pid, id) => format!(" {pid} {}", id.name.display()),
        };
        view.rows(frame).iter().map(text).collect()
    }

    fn some() -> Frame {
        frame(vec![
            object(Kind::Shm, "/a", 1, &[7, 8, 7]),
            object(Kind::Shm, "/b", 2, &[]),
            object(Kind::Fifo, "/f", 3, &[8]),
        ])
    }

    #[test]
    fn objects_stand_below_their_kinds_which_can_be_collapsed() {
        let (mut view, frame) = (view(), some());
        assert_eq!(shown(&view, &frame), ["shm", " /a", " /b", "fifo", " /f"]);
        view.collapsed.insert(Node::Class(Class::Of(Kind::Shm)));
        assert_eq!(shown(&view, &frame), ["shm", "fifo", " /f"]);
        let Content::Group(sums) = view.rows(&frame)[0].content else { panic!("it is a kind") };
        assert_eq!((sums.objects, sums.size), (2, 3));
    }

    #[test]
    fn objects_stand_below_each_process_that_uses_them() {
        let view = View { arrangement: Arrangement::Processes, ..view() };
        assert_eq!(shown(&view, &some()), ["7", " 7 /a", "8", " 8 /a", " 8 /f"]);
    }

    #[test]
    fn a_list_is_sorted_across_kinds_and_in_both_directions() {
        let mut view = View { arrangement: Arrangement::List, sort: Sort::Size, ..view() };
        assert_eq!(shown(&view, &some()), [" /f", " /b", " /a"]);
        view.is_reversed = true;
        assert_eq!(shown(&view, &some()), [" /a", " /b", " /f"]);
        view.sort = Sort::Users;
        assert_eq!(shown(&view, &some()), [" /b", " /f", " /a"]);
    }

    #[test]
    fn a_filter_has_the_text_of_a_name_a_kind_or_a_process() {
        for (filter, rows) in
            [("/B", vec![" /b"]), ("fifo", vec![" /f"]), ("8", vec![" /a", " /f"]), ("x", vec![])]
        {
            let filter = filter.to_owned();
            let view = View { arrangement: Arrangement::List, filter, ..view() };
            assert_eq!(shown(&view, &some()), rows);
        }
    }

    #[test]
    fn only_objects_that_something_waits_for() {
        let mut lock = object(Kind::Lock, "/l", 0, &[1]);
        lock.1.activity.waiting = 1;
        lock.1.waiters = vec![Some(2)];
        let frame = frame(vec![lock, object(Kind::Shm, "/a", 1, &[2])]);
        let view = View { arrangement: Arrangement::Processes, only_waiting: true, ..view() };
        assert_eq!(shown(&view, &frame), ["1", " 1 /l", "2", " 2 /l"]);
    }
}
