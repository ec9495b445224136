//! What is wrong in a configuration, and where: each problem names file, line, column and what would be right.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::model::text::Text;

/// The most problems that one load collects; what comes after is counted, not kept.
const MOST: usize = 100;

/// A place in a file. Line and column count from 1; a column is one character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as it was named, or the name of the variable or flag.
    pub file: Arc<str>,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// One thing that is wrong. Prints as `FILE:LINE:COLUMN: what is wrong; expected ..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What is wrong; never a secret.
    pub what: Text,
    /// What would be right.
    pub expected: Text,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column } = &self.place;
        write!(f, "{}:{line}:{column}: {}; expected {}", Text::clean(file), self.what, self.expected)
    }
}

/// Everything that is wrong, in the order of the files. Prints one problem a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for problem in &self.0 {
            if !first {
                f.write_str("\n")?;
            }
            first = false;
            fmt::Display::fmt(problem, f)?;
        }
        Ok(())
    }
}

/// A position before it is turned into line and column: the source and the byte in it. Every key and every value has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct At {
    source: u32,
    offset: u32,
}

impl At {
    /// The position so many bytes behind it.
    pub(super) fn offset(self, offset: usize) -> Self {
        Self { source: self.source, offset: self.offset.saturating_add(short(offset)) }
    }
}

/// One text that was read: a file, or the value of a variable or flag.
#[derive(Debug)]
struct Source {
    shown: Arc<str>,
    /// The directory that relative paths in it start from.
    directory: Arc<Path>,
    text: Arc<String>,
}

/// What one load has read, and what it found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    sources: Vec<Source>,
    problems: Vec<(At, Problem)>,
    warnings: Vec<(At, Problem)>,
    /// Texts that many tables have in common.
    shared: BTreeSet<Arc<str>>,
}

impl Findings {
    /// A text of which there is one, however many tables say it.
    pub(super) fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.shared.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.shared.insert(Arc::clone(&new));
        new
    }

    /// Takes a text in; its first byte is the position returned.
    pub(super) fn source(&mut self, shown: &str, directory: &Path, text: impl Into<Arc<String>>) -> At {
        self.sources.push(Source { shown: Arc::from(shown), directory: Arc::from(directory), text: text.into() });
        At { source: short(self.sources.len().saturating_sub(1)), offset: 0 }
    }

    /// Notes that something is wrong.
    pub(super) fn problem(&mut self, at: At, what: &str, expected: &str) {
        if self.problems.len() < MOST {
            let problem = self.write(at, what, expected);
            self.problems.push((at, problem));
        }
    }

    /// Notes that something is wrong at a place that was already turned into line and column.
    pub(super) fn problem_at(&mut self, place: &Place, order: At, what: &str, expected: &str) {
        if self.problems.len() < MOST {
            let problem = Problem { place: place.clone(), ..self.write(order, what, expected) };
            self.problems.push((order, problem));
        }
    }

    /// Notes that something is doubtful.
    pub(super) fn warning(&mut self, at: At, what: &str, expected: &str) {
        if self.warnings.len() < MOST {
            let problem = self.write(at, what, expected);
            self.warnings.push((at, problem));
        }
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// How many things are wrong so far.
    pub(super) fn problems(&self) -> usize {
        self.problems.len()
    }

    /// Forgets what was wrong after the first so many.
    pub(super) fn back_to(&mut self, problems: usize) {
        self.problems.truncate(problems);
    }

    /// Forgets what was found so far, not what was read.
    pub(super) fn forget(&mut self) {
        self.problems.clear();
        self.warnings.clear();
    }

    /// Line and column of a position.
    pub(super) fn place(&self, at: At) -> Place {
        let Some(source) = self.read(at) else {
            return Place { file: Arc::from("?"), line: 1, column: 1 };
        };
        let before = source.text.get(..at.offset as usize).unwrap_or(&source.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place { file: source.shown.clone(), line, column }
    }

    /// The directory from which relative paths at this position start.
    pub(super) fn directory(&self, at: At) -> Option<&Path> {
        self.read(at).map(|source| source.directory.as_ref())
    }

    /// The problems and the warnings, each in the order of layers and lines.
    pub(super) fn into_parts(self) -> (Vec<Problem>, Vec<Problem>) {
        (sorted(self.problems), sorted(self.warnings))
    }

    fn read(&self, at: At) -> Option<&Source> {
        self.sources.get(at.source as usize)
    }

    fn write(&self, at: At, what: &str, expected: &str) -> Problem {
        Problem { place: self.place(at), what: Text::clean_within(what, 600), expected: Text::clean_within(expected, 600) }
    }
}

/// No text that is read has as many bytes as would not fit.
fn short(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn sorted(mut found: Vec<(At, Problem)>) -> Vec<Problem> {
    found.sort();
    found.dedup();
    found.into_iter().map(|(_, problem)| problem).collect()
}
