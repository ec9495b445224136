//! What needs a person, told beyond the glass where that is wished: the bell, a notice on the desktop, the window's title.

use std::collections::BTreeSet;

use crate::control::standing::Standing;
use crate::control::world::World;
use crate::model::time::Moment;

use super::Session;

/// What was told so far.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// The rows that stood there last; none before the first look.
    known: Option<BTreeSet<(String, Standing)>>,
    /// The title that was set.
    title: Option<String>,
}

impl Session {
    /// What is sent for what needs a person now, in no cell of the glass: nothing unless it is configured and something changed.
    pub fn call(&mut self, world: &World, now: &Moment) -> Vec<u8> {
        let room = &world.catalog.room;
        if !(room.bell || room.notify || room.title) {
            return Vec::new();
        }
        // As the board counts them: it looks again only when something changed.
        let board = self.board.get_mut();
        board.refresh(world, now);
        let said = said(&room.name, board.needs().len());
        let rows: BTreeSet<_> = board.needs().iter().map(|need| (need.subject.clone(), need.standing)).collect();
        let mut out = String::new();
        // What stood there when the room was opened is before the operator's eyes.
        let new = self.calls.known.as_ref().is_some_and(|known| !rows.is_subset(known));
        if new && room.bell {
            out.push('\u{7}');
        }
        if new && room.notify {
            out.push_str(&format!("\u{1b}]9;{said}\u{1b}\\"));
        }
        if room.title && self.calls.title.as_ref() != Some(&said) {
            out.push_str(&format!("\u{1b}]2;{said}\u{1b}\\"));
            self.calls.title = Some(said);
        }
        self.calls.known = Some(rows);
        out.into_bytes()
    }

    /// The terminal is taken anew: the title is set again.
    pub fn taken_again(&mut self) {
        self.calls.title = None;
    }
}

/// How many rows there are. The room's name is all that anybody wrote of it, and no control character of that gets in.
fn said(room: &str, rows: usize) -> String {
    let room: String = room.chars().filter(|c| !c.is_control()).take(40).collect();
    match rows {
        0 => format!("gonogo {room}"),
        1 => format!("gonogo {room}: 1 needs you"),
        more => format!("gonogo {room}: {more} need you"),
    }
}
