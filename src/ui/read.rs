//! A screen in plain sentences for a screen reader or a braille display: one fact a line, no glyphs, no columns; and which of them are news.

mod screens;

use std::collections::BTreeMap;

use crate::control::world::World;
use crate::model::name::Target;
use crate::model::time::Moment;

use super::screen::Screen;

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is about: of two lines with one key the later one says how it is now.
    pub key: String,
    /// What of it is news when it changes: figures that move all the time are none.
    pub state: String,
    /// The sentence.
    pub text: String,
}

impl Line {
    /// A line all of whose words are news when they change.
    fn new(key: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { key: key.into(), state: text.clone(), text }
    }

    /// A line that is news only when `state` changes.
    fn of(key: impl Into<String>, state: impl Into<String>, text: impl Into<String>) -> Self {
        Self { key: key.into(), state: state.into(), text: text.into() }
    }
}

/// A screen in sentences.
pub fn lines(world: &World, now: &Moment, screen: Screen, target: Option<&Target>) -> Vec<Line> {
    screens::lines(world, now, screen, target)
}

/// What was announced last.
#[derive(Debug, Clone, Default)]
pub struct Announcer {
    said: Option<BTreeMap<String, Line>>,
}

impl Announcer {
    /// What is to be said now: all of it the first time, then only what is new or stands otherwise, and what is over.
    pub fn news(&mut self, lines: Vec<Line>) -> Vec<String> {
        let Some(before) = self.said.take() else {
            let texts = lines.iter().map(|line| line.text.clone()).collect();
            self.said = Some(keyed(lines));
            return texts;
        };
        let fresh = |line: &&Line| before.get(&line.key).is_none_or(|known| known.state != line.state);
        let mut news: Vec<String> = lines.iter().filter(fresh).map(|line| line.text.clone()).collect();
        let now = keyed(lines);
        let over = before.iter().filter(|(key, _)| !now.contains_key(*key));
        news.extend(over.map(|(_, line)| format!("No longer: {}", line.text)));
        self.said = Some(now);
        news
    }
}

fn keyed(lines: Vec<Line>) -> BTreeMap<String, Line> {
    lines.into_iter().map(|line| (line.key.clone(), line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_otherwise_is_announced() {
        let mut announcer = Announcer::default();
        let errors = |state: &str, value: &str| Line::of("signal errors", state, format!("errors {state}: {value}"));
        let hold = || Line::new("hold", "held by cy");
        assert_eq!(announcer.news(vec![errors("within", "0.4 %")]), ["errors within: 0.4 %"]);
        assert!(announcer.news(vec![errors("within", "0.5 %")]).is_empty(), "a figure that moves is no news");
        assert_eq!(announcer.news(vec![errors("WORSE", "2.1 %"), hold()]), ["errors WORSE: 2.1 %", "held by cy"]);
        assert_eq!(announcer.news(vec![errors("WORSE", "2.2 %")]), ["No longer: held by cy"]);
    }
}
