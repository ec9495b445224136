//! The traveller: where in the past one stands, and the way to any other place without folding everything again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::fold::Fold;
use super::reel::{Reel, Sort, head};
use super::when::When;
use crate::control::world::World;
use crate::model::scrub::{self, Mark, Scrub};
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::ports::journal::{Beginning, Marked, Stretch, Written};

/// Lines between two folds that are kept.
const SPACING: usize = 200;
/// Folds that are kept at most, of the room where one stands.
const KEPT: usize = 48;
/// Folds near the place where one stands that are not thinned out.
const NEAR: usize = 16;
/// Lines that are read at once.
const PAGE: u32 = 500;
/// Lines in which the next stop is looked for at once.
const LOOK: u32 = 64;
/// So much is followed before a moment that lies far from its room's opening, in milliseconds: charts are full by then, and what is
/// read seldom was read.
const WARM_MS: i64 = 2 * 3_600_000;
/// Lines that one tick of playing takes in at most; then it is slower than wished, and shows so.
const TICK_LINES: usize = 2_000;

/// Why there is no past yet: a room that was just opened.
pub const NOTHING_YET: &str = "nothing is remembered yet; the journal is written every few seconds";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// To the newest event.
    Newest,
    /// To the oldest.
    Oldest,
    /// To the next event, or the one before.
    Step(Way),
    /// To the next deed or alert, or the one before.
    Jump(Way),
    /// To a moment.
    To(When),
    /// To a moment, from where it is played so fast.
    PlayFrom(When, u32),
    /// Plays, or stands still.
    Play,
    /// Plays faster, or slower.
    Speed(Way),
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// Towards the beginning.
    Back,
    /// Towards now.
    On,
}

/// The world of a moment of the past.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The world; its `scrub` says where it stands.
    pub world: Arc<World>,
    /// The moment.
    pub now: Moment,
}

/// Goes through what a [`Reel`] keeps.
pub struct Traveller {
    reel: Box<dyn Reel>,
    stretches: Vec<Stretch>,
    place: usize,
    here: Fold,
    moment: Moment,
    marks: Vec<Marked>,
    shown_marks: Arc<[Mark]>,
    kept: BTreeMap<i64, Fold>,
    speed: u32,
    plays: bool,
    has_now: bool,
    shown: u64,
    says: Option<&'static str>,
}

impl Traveller {
    /// Opens the past at its newest event. `has_now`: whether there is a room of now to go back to.
    ///
    /// # Errors
    /// Why there is no past, in words.
    pub fn open(mut reel: Box<dyn Reel>, has_now: bool) -> Result<Self, String> {
        let stretches = reel.stretches()?;
        let place = newest(&stretches).ok_or(NOTHING_YET)?;
        let stretch = stretches.get(place).ok_or(NOTHING_YET)?;
        let beginning = beginning(stretch, stretch.last, stretch.until_ms).ok_or("no line is left from which reading could begin")?;
        let here = begin(reel.as_mut(), stretch, beginning)?;
        let (marks, moment) = (reel.marks(&stretch.room)?, here.last());
        let shown_marks = marks.iter().map(|marked| marked.mark).collect();
        let kept = BTreeMap::from([(here.id(), here.clone())]);
        let mut traveller =
            Self { reel, stretches, place, here, moment, marks, shown_marks, kept, speed: 1, plays: false, has_now, shown: 0, says: None };
        traveller.newest()?;
        Ok(traveller)
    }

    /// Whether it is played.
    pub fn plays(&self) -> bool {
        self.plays
    }

    /// Does what is asked.
    ///
    /// # Errors
    /// Why not, in words; one stands where one stood, or where the trouble was met.
    pub fn on(&mut self, ask: Ask) -> Result<(), String> {
        self.says = None;
        self.plays &= matches!(ask, Ask::Play | Ask::Speed(_));
        match ask {
            Ask::Newest => self.newest(),
            Ask::Oldest => self.oldest(),
            Ask::Step(Way::On) => self.step_on(),
            Ask::Step(Way::Back) => self.step_back(),
            Ask::Jump(way) => self.jump(way),
            Ask::To(when) => self.to(when),
            Ask::PlayFrom(when, speed) => {
                self.to(when)?;
                (self.speed, self.plays) = (speed, true);
                Ok(())
            }
            Ask::Play => {
                self.plays = !self.plays;
                Ok(())
            }
            Ask::Speed(way) => {
                self.speed = scrub::other_speed(self.speed, way == Way::On);
                Ok(())
            }
        }
    }

    /// Lets time pass while it is played.
    ///
    /// # Errors
    /// As [`Traveller::on`]; it stands still then.
    pub fn tick(&mut self, span: Duration) -> Result<(), String> {
        if !self.plays {
            return Ok(());
        }
        let upto = self.moment.plus(span.saturating_mul(self.speed));
        let gone = self.follow(&upto);
        self.plays &= gone.is_ok();
        gone
    }

    /// The world where one stands.
    pub fn shown(&mut self) -> Shown {
        self.shown += 1;
        let scrub = Scrub {
            from: self.stretch().and_then(|stretch| stretch.beginnings.first()).map_or(self.moment.wall, |first| wall(first.at_ms)),
            to: self.stretch().map_or(self.moment.wall, |stretch| wall(stretch.until_ms)).max(self.here.last().wall),
            at: self.moment,
            says: self.says.map_or_else(|| self.here.says().clone(), Text::clean),
            marks: self.shown_marks.clone(),
            speed: self.speed,
            plays: self.plays,
            known_since: self.here.known_since(),
            has_now: self.has_now,
        };
        // What a session draws anew only for another generation is drawn anew: moments of a fold have no order of their own.
        let world = World { scrub: Some(Arc::new(scrub)), generation: self.shown, ..self.here.world_at(&self.moment) };
        Shown { world: Arc::new(world), now: self.moment }
    }

    fn stretch(&self) -> Option<&Stretch> {
        self.stretches.get(self.place)
    }

    /// What was written meanwhile is seen too.
    fn refresh(&mut self) -> Result<(), String> {
        let room = self.stretch().map(|stretch| stretch.room.clone());
        self.stretches = self.reel.stretches()?;
        self.place = self.stretches.iter().position(|stretch| Some(&stretch.room) == room.as_ref()).unwrap_or(0);
        self.mark()
    }

    fn mark(&mut self) -> Result<(), String> {
        let Some(room) = self.stretch().map(|stretch| stretch.room.clone()) else { return Ok(()) };
        self.marks = self.reel.marks(&room)?;
        self.shown_marks = self.marks.iter().map(|marked| marked.mark).collect();
        Ok(())
    }

    fn newest(&mut self) -> Result<(), String> {
        self.refresh()?;
        let place = newest(&self.stretches).unwrap_or(self.place);
        let Some(stretch) = self.stretches.get(place) else { return Ok(()) };
        let (last, until) = (stretch.last, stretch.until_ms);
        self.go(place, last, until)
    }

    fn oldest(&mut self) -> Result<(), String> {
        let oldest = self.stretches.iter().enumerate().filter_map(|(place, stretch)| Some((stretch.beginnings.first()?, place)));
        let Some((first, place)) = oldest.min_by_key(|(first, _)| first.at_ms) else { return Ok(()) };
        let (id, at_ms) = (first.id, first.at_ms);
        self.go(place, id, at_ms)
    }

    fn to(&mut self, when: When) -> Result<(), String> {
        self.refresh()?;
        let from = self.stretches.iter().filter_map(|stretch| stretch.beginnings.first()).map(|first| first.at_ms).min();
        let to = self.stretches.iter().map(|stretch| stretch.until_ms).max();
        let (Some(from), Some(to)) = (from, to) else { return Ok(()) };
        let at = when.within(&wall(from), &wall(to));
        let at_ms = at.timestamp_millis();
        let place = covering(&self.stretches, at_ms).unwrap_or(self.place);
        let Some(stretch) = self.stretches.get(place) else { return Ok(()) };
        let (room, first, until) = (stretch.room.clone(), stretch.beginnings.first().copied(), stretch.until_ms);
        let id = self.reel.line_at(&room, at_ms)?.max(first.map(|first| first.id)).unwrap_or_default();
        self.go(place, id, at_ms)?;
        if at_ms > to || at_ms < from {
            self.says = Some("nothing is kept of that moment; this is the nearest");
        } else if at_ms <= until {
            self.moment = self.here.moment(&at);
        } else {
            self.says = Some("no room was open at that moment; this is the last one before it");
        }
        Ok(())
    }

    fn jump(&mut self, way: Way) -> Result<(), String> {
        self.refresh()?;
        let here = self.here.id();
        let found = match way {
            Way::On => self.marks.iter().find(|marked| marked.id > here),
            Way::Back => self.marks.iter().rev().find(|marked| marked.id < here),
        };
        if let Some(marked) = found.copied() {
            return self.go(self.place, marked.id, marked.mark.at.timestamp_millis());
        }
        let Some(place) = self.neighbour(way) else {
            self.says = Some(if way == Way::On { "no later deed or alert is kept" } else { "no earlier deed or alert is kept" });
            return Ok(());
        };
        // Of the next room the first mark, of the one before the last.
        let Some(stretch) = self.stretches.get(place) else { return Ok(()) };
        let (room, last) = (stretch.room.clone(), (stretch.last, stretch.until_ms));
        let marks = self.reel.marks(&room)?;
        let marked = if way == Way::On { marks.first() } else { marks.last() };
        let (id, at_ms) = marked.map_or(last, |marked| (marked.id, marked.mark.at.timestamp_millis()));
        self.go(place, id, at_ms)
    }

    fn step_on(&mut self) -> Result<(), String> {
        if let Some(id) = self.next_stop()? {
            return self.go(self.place, id, self.moment.wall.timestamp_millis());
        }
        self.refresh()?;
        if let Some(id) = self.next_stop()? {
            return self.go(self.place, id, self.moment.wall.timestamp_millis());
        }
        let next = self.neighbour(Way::On).and_then(|place| Some((place, self.stretches.get(place)?.beginnings.first().copied()?)));
        if let Some((place, first)) = next {
            return self.go(place, first.id, first.at_ms);
        }
        self.says = Some("this is the newest event that is kept");
        Ok(())
    }

    /// The last line of the next event: happenings belong to the event that they follow from.
    fn next_stop(&mut self) -> Result<Option<i64>, String> {
        let Some((room, last)) = self.stretch().map(|stretch| (stretch.room.clone(), stretch.last)) else { return Ok(None) };
        let mut found = None;
        let mut from = self.here.id();
        loop {
            let lines = self.reel.lines(&room, from, last, LOOK)?;
            let Some(end) = lines.last().map(|line| line.id) else { return Ok(found) };
            for line in &lines {
                match (head(&line.json).1, found) {
                    (Sort::Tells, None) | (Sort::Happening, Some(_)) => found = Some(line.id),
                    (Sort::Tells | Sort::Still, Some(_)) => return Ok(found),
                    (Sort::Still | Sort::Happening, None) => {}
                }
            }
            from = end;
        }
    }

    fn step_back(&mut self) -> Result<(), String> {
        // Between two events one goes back to the one that is past.
        if self.moment.boot > self.here.last().boot {
            self.moment = self.here.last();
            return Ok(());
        }
        if let Some(id) = self.stop_before()? {
            return self.go(self.place, id, self.moment.wall.timestamp_millis());
        }
        let ends = |place: usize| self.stretches.get(place).map(|stretch| (place, stretch.last, stretch.until_ms));
        if let Some((place, last, until)) = self.neighbour(Way::Back).and_then(ends) {
            return self.go(place, last, until);
        }
        self.says = Some("this is the oldest event that is kept");
        Ok(())
    }

    fn stop_before(&mut self) -> Result<Option<i64>, String> {
        let first = self.stretch().and_then(|stretch| Some((stretch.room.clone(), stretch.beginnings.first()?.id)));
        let Some((room, first)) = first else { return Ok(None) };
        let mut from = self.here.id().saturating_add(1);
        // Whether the event of this place was passed, and the last line of the one before it.
        let (mut passed, mut end) = (false, None);
        loop {
            let lines = self.reel.lines_before(&room, from, LOOK)?;
            for line in lines.iter().filter(|line| line.id >= first) {
                match head(&line.json).1 {
                    Sort::Tells if !passed => passed = true,
                    Sort::Tells => return Ok(end.or(Some(line.id))),
                    Sort::Happening if passed => end = end.or(Some(line.id)),
                    Sort::Still => end = None,
                    Sort::Happening => {}
                }
            }
            match lines.last().map(|line| line.id) {
                Some(id) if id > first => from = id,
                _ => return Ok(None),
            }
        }
    }

    /// The next room in time, or the one before.
    fn neighbour(&self, way: Way) -> Option<usize> {
        let here = self.stretch()?;
        let begun = here.beginnings.first()?.at_ms;
        let all = self.stretches.iter().enumerate();
        match way {
            Way::On => all.filter(|(_, other)| other.until_ms > here.until_ms).min_by_key(|(_, other)| other.until_ms),
            Way::Back => {
                let first = |other: &Stretch| other.beginnings.first().map(|first| first.at_ms);
                all.filter(|(_, other)| first(other).is_some_and(|at| at < begun)).max_by_key(|(_, other)| first(other))
            }
        }
        .map(|(place, _)| place)
    }

    /// Goes on as time does, line by line.
    fn follow(&mut self, upto: &Moment) -> Result<(), String> {
        let mut taken = 0;
        loop {
            let Some((room, last)) = self.stretch().map(|stretch| (stretch.room.clone(), stretch.last)) else { return Ok(()) };
            let lines = self.reel.lines(&room, self.here.id(), last, PAGE)?;
            if lines.is_empty() {
                return self.at_the_end(upto);
            }
            for line in &lines {
                if head(&line.json).0 > upto.boot {
                    self.moment = *upto;
                    return Ok(());
                }
                self.take(line)?;
                taken += 1;
                if taken >= TICK_LINES {
                    return Ok(());
                }
            }
        }
    }

    /// What comes after the last line: more of the same room, the next room, or nothing.
    fn at_the_end(&mut self, upto: &Moment) -> Result<(), String> {
        let last = self.here.id();
        self.refresh()?;
        if self.stretch().is_some_and(|stretch| stretch.last > last) {
            return Ok(());
        }
        if let Some(place) = self.neighbour(Way::On)
            && let Some(first) = self.stretches.get(place).and_then(|stretch| stretch.beginnings.first()).copied()
        {
            return self.go(place, first.id, first.at_ms);
        }
        self.moment = self.here.last();
        self.plays = self.moment.boot >= upto.boot;
        self.says = Some("this is the newest event that is kept");
        Ok(())
    }

    /// Stands after the line of that number, which was written about that time.
    fn go(&mut self, place: usize, id: i64, at_ms: i64) -> Result<(), String> {
        let Some(stretch) = self.stretches.get(place).cloned() else { return Ok(()) };
        if place != self.place {
            self.place = place;
            self.kept.clear();
            self.mark()?;
            let first = beginning(&stretch, id, at_ms).ok_or("no line is left from which reading could begin")?;
            self.here = begin(self.reel.as_mut(), &stretch, first)?;
        } else if let Some(first) = beginning(&stretch, id, at_ms) {
            let kept = self.kept.range(..=id).next_back().map(|(_, fold)| fold);
            let near = [Some(&self.here), kept].into_iter().flatten().filter(|fold| fold.id() <= id).max_by_key(|fold| fold.id());
            // One that began where this room was opened knows more than one that began later; of far ones the way is too long.
            match near.filter(|fold| fold.id() >= first.id).cloned() {
                Some(fold) => self.here = fold,
                None => self.here = begin(self.reel.as_mut(), &stretch, first)?,
            }
        }
        self.moment = self.here.last();
        self.keep();
        while self.here.id() < id {
            let lines = self.reel.lines(&stretch.room, self.here.id(), id, PAGE)?;
            if lines.is_empty() {
                break;
            }
            for line in &lines {
                self.take(line)?;
            }
        }
        Ok(())
    }

    /// Folds one line.
    fn take(&mut self, line: &Written) -> Result<(), String> {
        self.here.take(line.id, &line.json).map_err(|error| format!("line {}: {error}", line.id))?;
        self.moment = self.here.last();
        let since = self.kept.range(..line.id).next_back().map_or(i64::MAX, |(id, _)| line.id - id);
        if usize::try_from(since).is_ok_and(|since| since >= SPACING) {
            self.keep();
        }
        Ok(())
    }

    /// Keeps this fold, and of too many the near ones and every other far one.
    fn keep(&mut self) {
        let here = self.here.id();
        self.kept.insert(here, self.here.clone());
        if self.kept.len() <= KEPT {
            return;
        }
        let mut by_distance: Vec<i64> = self.kept.keys().copied().collect();
        by_distance.sort_by_key(|id| id.abs_diff(here));
        let mut far: Vec<i64> = by_distance.into_iter().skip(NEAR).collect();
        far.sort_unstable();
        for id in far.into_iter().skip(1).step_by(2) {
            self.kept.remove(&id);
        }
    }
}

fn wall(at_ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at_ms).unwrap_or(DateTime::UNIX_EPOCH)
}

/// The room that was seen last; of several at one time the one that was opened first.
fn newest(stretches: &[Stretch]) -> Option<usize> {
    let until = stretches.iter().map(|stretch| stretch.until_ms).max()?;
    // Rooms beside each other end within a write of each other.
    covering(stretches, until.saturating_sub(10_000)).or_else(|| stretches.iter().position(|stretch| stretch.until_ms == until))
}

/// The room that was open at a time, the one that was opened first; else the last one before it, else the first one.
fn covering(stretches: &[Stretch], at_ms: i64) -> Option<usize> {
    let begun = |stretch: &Stretch| stretch.beginnings.first().map_or(i64::MAX, |first| first.at_ms);
    let all = || stretches.iter().enumerate();
    let open = all().filter(|(_, one)| begun(one) <= at_ms && at_ms <= one.until_ms).min_by_key(|(_, one)| begun(one));
    let before = || all().filter(|(_, one)| one.until_ms < at_ms).max_by_key(|(_, one)| one.until_ms);
    let first = || all().min_by_key(|(_, one)| begun(one));
    open.or_else(before).or_else(first).map(|(place, _)| place)
}

/// Where reading begins for a line: at the room's opening, or where so much is followed that little is missing.
fn beginning(stretch: &Stretch, id: i64, at_ms: i64) -> Option<Beginning> {
    let warm = at_ms.saturating_sub(WARM_MS);
    let far = stretch.beginnings.iter().rev().find(|one| one.id <= id && one.at_ms <= warm);
    far.or_else(|| stretch.beginnings.first().filter(|one| one.id <= id)).copied()
}

fn begin(reel: &mut dyn Reel, stretch: &Stretch, first: Beginning) -> Result<Fold, String> {
    let lines = reel.lines(&stretch.room, first.id.saturating_sub(1), first.id, 1)?;
    let line = lines.first().ok_or("the line from which reading begins was dropped meanwhile")?;
    Fold::begin(line.id, &line.json).map_err(|error| format!("line {}: {error}", line.id))
}
