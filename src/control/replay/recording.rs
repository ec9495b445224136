//! A recording in a file: checked whole before anything of it is shown, then read line by line.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::fold::{FoldError, follows};
use super::reel::Reel;
use crate::control::record::{Entry, Player};
use crate::model::scrub::Mark;
use crate::model::time::Boot;
use crate::ports::journal::{Beginning, Marked, Stretch, Written};

/// The longest line that is read: a whole reading of the largest estate is far below.
const LONGEST: u64 = 64 << 20;

/// Why a recording is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The file.
    #[error("failed to read the recording: {0}")]
    File(#[from] std::io::Error),
    /// One of its lines, counted from 1.
    #[error("line {line}: {why}")]
    Line {
        /// Its number.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing is in it.
    #[error("line 1: nothing is in it; expected a recording of `demo --record`, `watch --jsonl` or `replay --export`")]
    Empty,
}

/// A recording whose every line was looked at.
#[derive(Debug)]
pub struct Recording {
    file: File,
    /// Where each line begins, and where the last one ends.
    begins: Vec<u64>,
    stretches: Vec<Stretch>,
    marks: Vec<Marked>,
    /// The time of each line, in milliseconds since 1970; of a happening that of the line before.
    times: Vec<i64>,
}

impl Recording {
    /// Opens and checks a file.
    ///
    /// # Errors
    /// [`Refused`]: what is wrong, with its line.
    pub fn open(path: &Path) -> Result<Self, Refused> {
        let mut reader = BufReader::new(File::open(path)?);
        let mut player = Player::default();
        let (mut begins, mut times, mut stretches, mut marks) = (vec![0_u64], Vec::new(), Vec::<Stretch>::new(), Vec::new());
        let mut last = Boot(0);
        let mut text = Vec::new();
        loop {
            text.clear();
            let length = reader.by_ref().take(LONGEST).read_until(b'\n', &mut text)?;
            if length == 0 {
                break;
            }
            let line = times.len() + 1;
            let refuse = |why: &dyn std::fmt::Display| Refused::Line { line, why: why.to_string() };
            if text.pop_if(|byte| *byte == b'\n').is_none() {
                let long = u64::try_from(length).is_ok_and(|length| length >= LONGEST);
                let why = if long { "it is longer than 64 MiB" } else { "it is cut off; remove it to read what stands before it" };
                // A whole last line without its end was cut exactly there, or written by hand.
                if long || std::str::from_utf8(&text).map_or(true, |text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_err()) {
                    return Err(refuse(&why));
                }
            }
            let text = std::str::from_utf8(&text).map_err(|_| refuse(&"it is no UTF-8"))?;
            let (at, entry) = player.read(text).map_err(|error| refuse(&error))?;
            let id = i64::try_from(line).unwrap_or(i64::MAX);
            let at_ms = at.wall.timestamp_millis();
            match &entry {
                Entry::Opened(opened) if !opened.again || stretches.is_empty() => {
                    last = Boot(0);
                    let beginnings = vec![Beginning { id, at_ms, again: opened.again }];
                    stretches.push(Stretch { room: line.to_string(), beginnings, last: id, until_ms: at_ms });
                }
                Entry::Opened(_) => {
                    let again = Beginning { id, at_ms, again: true };
                    stretches.iter_mut().next_back().into_iter().for_each(|stretch| stretch.beginnings.push(again));
                }
                Entry::Happening(happening) => marks.extend(Mark::of(at.wall, happening.kind).map(|mark| Marked { id, mark })),
                Entry::Event(_) | Entry::Hole(_) => {}
            }
            let Some(stretch) = stretches.last_mut() else { return Err(refuse(&FoldError::NotOpened)) };
            if matches!(entry, Entry::Happening(_)) {
                // Its time is its own, and may lie before.
                follows(Boot(0), &at).map_err(|error| refuse(&error))?;
                times.push(times.last().copied().unwrap_or(at_ms));
            } else {
                follows(last, &at).map_err(|error| refuse(&error))?;
                (last, stretch.last, stretch.until_ms) = (at.boot, id, at_ms);
                times.push(at_ms);
            }
            begins.push(begins.last().copied().unwrap_or_default().saturating_add(u64::try_from(length).unwrap_or(u64::MAX)));
        }
        if stretches.is_empty() {
            return Err(Refused::Empty);
        }
        Ok(Self { file: reader.into_inner(), begins, stretches, marks, times })
    }

    fn line(&mut self, id: i64) -> Result<Option<Written>, String> {
        let place = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        let bounds = place.and_then(|place| Some((*self.begins.get(place)?, *self.begins.get(place + 1)?)));
        let Some((from, to)) = bounds else { return Ok(None) };
        let mut text = String::new();
        let read = self.file.seek(SeekFrom::Start(from)).and_then(|_| (&self.file).take(to - from).read_to_string(&mut text));
        read.map_err(|error| format!("failed to read line {id} of the recording: {error}"))?;
        text.truncate(text.trim_end_matches('\n').len());
        Ok(Some(Written { id, json: text }))
    }

    /// The first line of the room that follows.
    fn bounds(&self, room: &str) -> (i64, i64) {
        let mut from = self.stretches.iter().skip_while(|stretch| stretch.room != room).filter_map(|stretch| stretch.beginnings.first());
        let first = from.next().map_or(i64::MAX, |first| first.id);
        (first, from.next().map_or(i64::MAX, |next| next.id))
    }
}

impl Reel for Recording {
    fn stretches(&mut self) -> Result<Vec<Stretch>, String> {
        Ok(self.stretches.clone())
    }

    fn lines(&mut self, room: &str, after: i64, upto: i64, most: u32) -> Result<Vec<Written>, String> {
        let (first, next) = self.bounds(room);
        let from = after.saturating_add(1).max(first);
        let mut lines = Vec::new();
        for id in (from..=upto.min(next.saturating_sub(1))).take(usize::try_from(most).unwrap_or(usize::MAX)) {
            let Some(line) = self.line(id)? else { break };
            lines.push(line);
        }
        Ok(lines)
    }

    fn lines_before(&mut self, room: &str, before: i64, most: u32) -> Result<Vec<Written>, String> {
        let (first, next) = self.bounds(room);
        let mut lines = Vec::new();
        for id in (first..before.min(next)).rev().take(usize::try_from(most).unwrap_or(usize::MAX)) {
            lines.extend(self.line(id)?);
        }
        Ok(lines)
    }

    fn line_at(&mut self, room: &str, at_ms: i64) -> Result<Option<i64>, String> {
        let (first, next) = self.bounds(room);
        let ids = (1_i64..).zip(&self.times).filter(|(id, _)| (first..next).contains(id));
        Ok(ids.filter(|(_, time)| **time <= at_ms).map(|(id, _)| id).last())
    }

    fn marks(&mut self, room: &str) -> Result<Vec<Marked>, String> {
        let (first, next) = self.bounds(room);
        Ok(self.marks.iter().filter(|marked| (first..next).contains(&marked.id)).copied().collect())
    }
}
