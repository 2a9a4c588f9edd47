//! Keys, the selected row, and what the screen shows of the rows.

use super::*;
use crate::cmd::top::view::Arrangement;
use crate::io::output::Paint;
use crate::mechanism::monitor::History;
use crate::mechanism::survey::Object;

fn objects(names: &[&str]) -> Vec<(Class, Object)> {
    let object = |name: &&str| (Class::Of(Kind::Shm), Object::new(Kind::Shm, *name));
    names.iter().map(object).collect()
}

/// A screen with these objects, in one list.
fn state(names: &[&str]) -> State {
    let view = View {
        arrangement: Arrangement::List,
        sort: Sort::Name,
        is_reversed: false,
        filter: String::new(),
        owner: None,
        only_waiting: false,
        collapsed: Default::default(),
    };
    let pace = Pace::new(Duration::from_secs(2));
    let mut state = State::new(view, pace, Theme::new(Paint::Plain, "C"));
    state.page = 2;
    state.enter(History::default().advance(objects(names), 1), 0);
    state
}

fn selected(state: &State) -> String {
    let item = state.selected_item().expect("a row is selected");
    item.id.name.display().to_string()
}

fn press(state: &mut State, keys: &str) {
    keys.chars().for_each(|key| assert_ne!(state.press(Key::Char(key)), Next::Quit));
}

#[test]
fn the_selected_object_stays_selected_when_others_come_and_go() {
    let mut state = state(&["/b", "/c", "/d"]);
    state.press(Key::Down);
    assert_eq!(selected(&state), "/c");
    state.enter(History::default().advance(objects(&["/a", "/b", "/c"]), 2), 0);
    assert_eq!(selected(&state), "/c");
    // Its neighbour follows, and at the end the last one.
    state.enter(History::default().advance(objects(&["/a", "/b", "/e", "/f"]), 3), 0);
    assert_eq!(selected(&state), "/e");
    state.enter(History::default().advance(objects(&["/a"]), 4), 0);
    assert_eq!(selected(&state), "/a");
    state.enter(History::default().advance(Vec::new(), 5), 0);
    assert!(state.selected_item().is_none());
    state.press(Key::End);
    state.press(Key::Enter);
    assert_eq!(state.mode, Mode::Browse);
}

#[test]
fn the_selected_row_is_on_the_screen() {
    let mut state = state(&["/a", "/b", "/c", "/d", "/e"]);
    for (key, first) in [(Key::End, 3), (Key::Up, 3), (Key::Up, 2), (Key::PageUp, 0)] {
        state.press(key);
        assert_eq!(state.first, first, "{key:?}");
    }
    state.press(Key::PageDown);
    assert_eq!((state.selected, state.first), (2, 1));
}

#[test]
fn a_search_goes_on_in_a_circle() {
    let mut state = state(&["/ab", "/b", "/ac"]);
    press(&mut state, "/a");
    assert_eq!(selected(&state), "/ab");
    state.press(Key::Enter);
    press(&mut state, "n");
    assert_eq!(selected(&state), "/ac");
    press(&mut state, "n");
    assert_eq!(selected(&state), "/ab");
    press(&mut state, "/x");
    assert_eq!(state.message.as_ref().map(|(text, _)| text.as_str()), Some("x: not found"));
}

#[test]
fn letters_are_text_while_a_text_is_typed() {
    let mut state = state(&["/q", "/b"]);
    state.press(Key::Function(4));
    press(&mut state, "q");
    assert_eq!((state.rows.len(), state.view.filter.as_str()), (1, "q"));
    state.press(Key::Escape);
    assert_eq!((state.rows.len(), &state.mode), (2, &Mode::Browse));
    assert_eq!(state.press(Key::Char('q')), Next::Quit);
}

#[test]
fn kinds_are_collapsed_from_the_row_of_an_object_too() {
    let mut state = state(&["/a", "/b"]);
    state.view.arrangement = Arrangement::Kinds;
    press(&mut state, "I");
    state.press(Key::End);
    state.press(Key::Left);
    assert_eq!((state.selected, state.rows.len()), (0, 3));
    state.press(Key::Left);
    assert_eq!(state.rows.len(), 1);
    press(&mut state, "*");
    assert_eq!(state.rows.len(), 3);
}

#[test]
fn a_lock_is_not_removed() {
    let mut state = state(&[]);
    let lock = (Class::Of(Kind::Lock), Object::new(Kind::Lock, "/a"));
    state.enter(History::default().advance(vec![lock], 1), 0);
    state.press(Key::Function(9));
    assert_eq!(state.mode, Mode::Browse);
    assert!(state.message.is_some());
}
