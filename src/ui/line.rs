//! The line to an operator's terminal: how long a frame and the answer to it take, and whether anybody answers.

use std::time::Duration;

use crate::model::time::Boot;

/// From here on a line is slow: it is amber, and remainders tick in tens.
const SLOW: Duration = Duration::from_secs(2);
/// The least time between two questions, unless a plan waits for the answer: an answer wakes the room and says little that is new.
const EVERY: Duration = Duration::from_secs(5);
/// So long a terminal that never answered is waited for.
const FIRST: Duration = Duration::from_secs(3);
/// So long one that answered before is waited for.
const LOST: Duration = Duration::from_secs(10);
/// How often one that does not answer is asked again.
const AGAIN: Duration = Duration::from_mins(1);
/// A round trip is shown anew when it differs from the shown one by more: figures that tremble say nothing and cost bytes.
const TREMBLE: Duration = Duration::from_millis(100);
/// Answers to given up questions that are waited for at most.
const OWED: u8 = 3;

/// Who answers for the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    /// Nobody is asked: a picture, a test.
    #[default]
    Nobody,
    /// A terminal.
    Terminal,
    /// A multiplexer, which answers in the terminal's stead, and at once.
    Multiplexer,
}

/// From when on the keys of a plan count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arms {
    /// Once its frame is on its way.
    Shown,
    /// Once the terminal has answered for its frame.
    Answered,
    /// After a second without keys.
    Quiet,
}

/// What is known of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trip {
    /// Nothing yet, or nobody is asked.
    None,
    /// The round trip.
    Took(Duration),
    /// Nobody answers, or somebody else does.
    Unknown,
}

/// The line of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Line {
    end: End,
    /// Now, by a clock that runs as the machine's does, whatever time a room plays.
    now: Boot,
    /// When the question left that is under way.
    asked: Option<Boot>,
    /// When the newest question left.
    newest: Option<Boot>,
    /// Whether the question under way was given up, or the one before it and none was sent since.
    lost: bool,
    /// Questions that were given up and may still be answered: answers come in order.
    owed: u8,
    /// The round trip as it is shown.
    shown: Option<Duration>,
}

impl Line {
    /// The line to whoever answers there.
    pub fn to(end: End) -> Self {
        Self { end, ..Self::default() }
    }

    /// Whether a question goes with the frame that is sent now; if so it is under way. `needed`: a plan waits for the answer.
    pub fn asks(&mut self, needed: bool) -> bool {
        let now = self.now;
        let since = |pause: Duration| self.newest.is_none_or(|at| now.since(at) >= pause);
        let due = match (self.end, self.asked, self.lost) {
            (End::Nobody | End::Multiplexer, ..) | (End::Terminal, Some(_), _) => false,
            (End::Terminal, None, true) => since(AGAIN),
            (End::Terminal, None, false) => needed || since(EVERY),
        };
        if due {
            (self.asked, self.newest) = (Some(now), Some(now));
        }
        due
    }

    /// The terminal answered; whether it was for the question under way.
    pub fn answered(&mut self) -> bool {
        if self.owed > 0 {
            self.owed -= 1;
            return false;
        }
        let Some(asked) = self.asked.take() else { return false };
        let took = self.now.since(asked);
        self.lost = false;
        if self.shown.is_none_or(|shown| shown.abs_diff(took) > TREMBLE) {
            self.shown = Some(took);
        }
        true
    }

    /// Now.
    pub fn now(&self) -> Boot {
        self.now
    }

    /// It is this time now: a question that nobody answered until then is given up.
    pub fn at(&mut self, now: Boot) {
        self.now = now;
        let patience = if self.shown.is_some() { LOST } else { FIRST };
        if self.asked.is_some_and(|asked| now.since(asked) >= patience) {
            (self.asked, self.lost) = (None, true);
            self.owed = (self.owed + 1).min(OWED);
        }
    }

    /// From when on the keys of a plan count.
    pub fn arms(&self) -> Arms {
        match (self.end, self.trip()) {
            (End::Nobody, _) => Arms::Shown,
            (End::Multiplexer, _) | (End::Terminal, Trip::Unknown) => Arms::Quiet,
            (End::Terminal, Trip::None | Trip::Took(_)) => Arms::Answered,
        }
    }

    /// What is known of it now: a question that waits longer than the last one took is the better measure.
    pub fn trip(&self) -> Trip {
        match (self.end, self.lost, self.shown) {
            (End::Nobody, ..) | (End::Terminal, false, None) => Trip::None,
            (End::Multiplexer, ..) | (End::Terminal, true, _) => Trip::Unknown,
            (End::Terminal, false, Some(shown)) => {
                let waits = self.asked.map(|asked| self.now.since(asked)).filter(|waits| *waits >= SLOW);
                Trip::Took(waits.map_or(shown, |waits| waits.max(shown)))
            }
        }
    }

    /// Whether it is slow.
    pub fn is_slow(&self) -> bool {
        matches!(self.trip(), Trip::Took(took) if took >= SLOW)
    }

    /// How line 1 says it; nothing when nobody is asked or nothing is known yet.
    pub fn words(&self, wide: bool) -> Option<String> {
        match self.trip() {
            Trip::None => None,
            Trip::Unknown => Some(if wide { "line not measured" } else { "line unknown" }.to_owned()),
            Trip::Took(took) if took >= Duration::from_secs(10) => Some(format!("line {}s", took.as_secs())),
            Trip::Took(took) => Some(format!("line {}.{}s", took.as_secs(), took.subsec_millis() / 100)),
        }
    }

    /// What that is, for help.
    pub fn why(&self) -> Option<&'static str> {
        Some(match (self.trip(), self.end) {
            (Trip::None, _) => return None,
            (Trip::Took(_), _) => "the time that the last frame and the answer of your terminal to it took",
            (Trip::Unknown, End::Multiplexer) => {
                "tmux, screen or Zellij answers in your terminal's stead: how long the line to you takes is not known, and the keys of a plan \
                 count after a second without keys"
            }
            (Trip::Unknown, End::Terminal | End::Nobody) => {
                "your terminal does not answer: how long the line to you takes is not known, and the keys of a plan count after a second \
                 without keys"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line at that millisecond.
    fn at(line: &mut Line, ms: u64) -> &mut Line {
        line.at(Boot(ms));
        line
    }

    fn measured(took: u64) -> Line {
        let mut line = Line::to(End::Terminal);
        assert!(line.asks(false));
        assert!(at(&mut line, took).answered());
        line
    }

    #[test]
    fn the_round_trip_is_that_of_the_answer() {
        let words = |took| measured(took).words(true).unwrap();
        assert_eq!([words(3), words(430), words(2_000), words(2_999)], ["line 0.0s", "line 0.4s", "line 2.0s", "line 2.9s"]);
        assert_eq!([measured(1_999), measured(2_000)].map(|line| line.is_slow()), [false, true]);
        assert_eq!(Line::to(End::Terminal).words(true), None, "nothing is said before anything is known");
    }

    #[test]
    fn one_question_is_under_way_and_one_goes_every_five_seconds() {
        let mut line = Line::to(End::Terminal);
        assert!(line.asks(true));
        assert!(!at(&mut line, 1).asks(true), "one is under way");
        assert!(at(&mut line, 20).answered());
        assert!(!at(&mut line, 21).asks(false), "asked a moment ago");
        assert!(line.asks(true), "a plan waits for it");
        assert!(at(&mut line, 40).answered());
        assert!(!at(&mut line, 5_020).asks(false));
        assert!(at(&mut line, 5_021).asks(false));
        assert!(at(&mut line, 5_022).answered());
        assert!(!line.answered(), "one question has one answer");
    }

    #[test]
    fn a_question_that_waits_longer_is_the_better_measure() {
        let mut line = measured(50);
        assert!(at(&mut line, 6_000).asks(false));
        assert_eq!(at(&mut line, 7_900).words(true).unwrap(), "line 0.0s");
        assert_eq!(at(&mut line, 9_100).words(true).unwrap(), "line 3.1s");
        assert_eq!((line.is_slow(), line.arms()), (true, Arms::Answered));
        assert_eq!(at(&mut line, 15_999).words(true).unwrap(), "line 9.9s");
        assert_eq!((at(&mut line, 16_000).words(true).as_deref(), line.arms()), (Some("line not measured"), Arms::Quiet));
    }

    #[test]
    fn where_nobody_answers_nobody_is_waited_for() {
        let mut line = Line::to(End::Terminal);
        assert!(line.asks(false));
        assert_eq!((at(&mut line, 2_999).words(true), line.arms()), (None, Arms::Answered));
        assert_eq!((at(&mut line, 3_000).words(true).as_deref(), line.arms()), (Some("line not measured"), Arms::Quiet));
        assert!(!line.asks(true), "it is asked again after a minute only");
        assert!(at(&mut line, 60_000).asks(false));
        // The first answer is the one to the question that was given up.
        assert!(!at(&mut line, 60_100).answered());
        assert!(at(&mut line, 60_200).answered());
        assert_eq!((line.words(true).as_deref(), line.arms()), (Some("line 0.2s"), Arms::Answered));
    }

    #[test]
    fn a_multiplexer_is_not_asked_and_a_picture_says_nothing() {
        let mut between = Line::to(End::Multiplexer);
        assert!(!between.asks(true));
        assert_eq!((between.words(true).as_deref(), between.arms()), (Some("line not measured"), Arms::Quiet));
        let mut nobody = Line::default();
        assert!(!nobody.asks(true));
        assert_eq!((nobody.words(true), nobody.arms()), (None, Arms::Shown));
    }

    #[test]
    fn figures_that_tremble_stand_still() {
        let mut line = measured(140);
        for (n, took) in [(1_u64, 160), (2, 90), (3, 235)] {
            assert!(at(&mut line, n * 10_000).asks(false));
            assert!(at(&mut line, n * 10_000 + took).answered());
            assert_eq!(line.words(true).unwrap(), "line 0.1s", "{took}");
        }
        assert!(at(&mut line, 90_000).asks(false));
        assert!(at(&mut line, 90_300).answered());
        assert_eq!(line.words(true).unwrap(), "line 0.3s");
    }
}
