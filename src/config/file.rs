//! Reads the table of a configuration file key by key, and notes every key that is unknown, missing or of the wrong type.

use std::fmt::{self, Display};
use std::path::PathBuf;
use std::time::Duration;

use super::duration;
use super::nearest::{instead, nearest};
use super::node::{Key, Node, Table, Value};
use super::problem::{At, Findings};
use crate::model::name::NameError;

/// A key that is mostly written in the wrong table, and where it belongs.
const MISPLACED: (&str, &str) = ("check", "`[environment.check]` below the `[[environment]]` whose deeds it checks");

/// What is expected where one of these words must stand.
pub(super) struct OneOf<'a>(pub(super) &'a [&'a str]);

impl Display for OneOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.0.join(", "))
    }
}

/// A table whose keys were compared with the known ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    /// Where the table begins.
    pub(super) at: At,
    table: &'a Table<'a>,
    /// What the table is in messages: `[room]`, `the backend`.
    pub(super) what: &'a str,
}

impl<'a> Fields<'a> {
    /// Opens a table; notes when it is none, and every key that is not known.
    pub(super) fn open(node: &'a Node<'a>, what: &'a str, known: &[&str], found: &mut Findings) -> Option<Self> {
        let Value::Table(table) = &node.value else {
            found.problem(node.at, &format!("{what} is {}", node.value.kind()), "a table");
            return None;
        };
        let fields = Self { at: node.at, table, what };
        fields.refuse_unknown(known, found);
        Some(fields)
    }

    /// Opens the whole file.
    pub(super) fn root(table: &'a Table<'a>, at: At, known: &[&str], found: &mut Findings) -> Self {
        let fields = Self { at, table, what: "the file" };
        fields.refuse_unknown(known, found);
        fields
    }

    /// Opens the whole file for one of its tables, whatever the others are.
    pub(super) fn part(table: &'a Table<'a>, at: At) -> Self {
        Self { at, table, what: "the file" }
    }

    fn refuse_unknown(&self, known: &[&str], found: &mut Findings) {
        for (key, _) in &self.table.0 {
            if known.contains(&key.name.as_ref()) {
                continue;
            }
            let right = match nearest(&key.name, known.iter().copied()) {
                None if key.name == MISPLACED.0 => MISPLACED.1.to_owned(),
                Some(_) | None => instead(&key.name, known.iter().copied()),
            };
            found.problem(key.at, &format!("unknown key `{}` in {}", key.name, self.what), &right);
        }
    }

    /// A key's value.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node<'a>> {
        self.table.get(key)
    }

    /// A key's value, which must be there. What is expected is put into words only when it is not.
    pub(super) fn required(&self, key: &str, expected: impl Display, found: &mut Findings) -> Option<&'a Node<'a>> {
        let value = self.table.get(key);
        if value.is_none() {
            found.problem(self.at, &format!("{} has no `{key}`", self.what), &expected.to_string());
        }
        value
    }

    /// A key's string.
    pub(super) fn text(&self, key: &str, found: &mut Findings) -> Option<&'a str> {
        self.get(key)?.text(key, found)
    }

    /// A key's string, which must be there.
    pub(super) fn required_text(&self, key: &str, expected: impl Display, found: &mut Findings) -> Option<&'a str> {
        self.required(key, expected, found)?.text(key, found)
    }

    /// One of a few words; the default where there is none or a wrong one.
    pub(super) fn choice<T: Copy + Default>(&self, key: &str, words: &[(&str, T)], found: &mut Findings) -> T {
        let Some((at, text)) = self.get(key).and_then(|node| Some((node.at, node.text(key, found)?))) else { return T::default() };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        found.problem(at, &format!("`{key}` cannot be `{text}`"), &instead(text, known));
        T::default()
    }

    /// A key's boolean.
    pub(super) fn flag(&self, key: &str, found: &mut Findings) -> Option<bool> {
        self.get(key)?.flag(key, found)
    }

    /// A key's whole number between two bounds.
    pub(super) fn count(&self, key: &str, least: u64, most: u64, found: &mut Findings) -> Option<u64> {
        self.get(key)?.count(key, least, most, found)
    }

    /// A key's duration, at least `least`.
    pub(super) fn duration(&self, key: &str, least: Duration, found: &mut Findings) -> Option<Duration> {
        self.get(key)?.duration(key, least, found)
    }

    /// A key's strings.
    pub(super) fn texts(&self, key: &str, found: &mut Findings) -> Vec<(At, &'a str)> {
        self.get(key).map(|node| node.texts(key, found)).unwrap_or_default()
    }

    /// A key's list.
    pub(super) fn list(&self, key: &str, expected: &str, found: &mut Findings) -> &'a [Node<'a>] {
        match self.get(key).map(|node| (node.at, &node.value)) {
            None => &[],
            Some((_, Value::List(items))) => items,
            Some((at, value)) => {
                found.problem(at, &format!("`{key}` is {}", value.kind()), expected);
                &[]
            }
        }
    }

    /// A key's table as it is, with keys of the user's choice.
    pub(super) fn table(&self, key: &str, found: &mut Findings) -> &'a [(Key<'a>, Node<'a>)] {
        match self.get(key).map(|node| (node.at, &node.value)) {
            None => &[],
            Some((_, Value::Table(table))) => &table.0,
            Some((at, value)) => {
                found.problem(at, &format!("`{key}` is {}", value.kind()), "a table");
                &[]
            }
        }
    }

    /// A key's path; a relative one starts from the directory of its file.
    pub(super) fn path(&self, key: &str, found: &mut Findings) -> Option<PathBuf> {
        self.get(key)?.path(key, found)
    }

    /// The table's name, which every named table must have.
    pub(super) fn name<T>(&self, make: impl Fn(&str) -> Result<T, NameError>, found: &mut Findings) -> Option<T> {
        self.required("name", "`name = \"..\"`", found)?.name("name", make, found)
    }
}

impl Node<'_> {
    fn wrong(&self, key: &str, expected: &str, found: &mut Findings) {
        found.problem(self.at, &format!("`{key}` is {}", self.value.kind()), expected);
    }

    /// A string that is not empty.
    pub(super) fn text(&self, key: &str, found: &mut Findings) -> Option<&str> {
        match &self.value {
            Value::Text(text) if text.trim().is_empty() => {
                found.problem(self.at, &format!("`{key}` is empty"), "a string with something in it");
                None
            }
            Value::Text(text) => Some(text),
            Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => {
                self.wrong(key, "a string", found);
                None
            }
        }
    }

    /// A boolean.
    pub(super) fn flag(&self, key: &str, found: &mut Findings) -> Option<bool> {
        if let Value::Flag(flag) = &self.value {
            return Some(*flag);
        }
        self.wrong(key, "true or false", found);
        None
    }

    /// A whole number between two bounds.
    pub(super) fn count(&self, key: &str, least: u64, most: u64, found: &mut Findings) -> Option<u64> {
        let range =
            if most == u64::MAX { format!("a whole number from {least}") } else { format!("a whole number from {least} to {most}") };
        let Value::Integer(number) = &self.value else {
            self.wrong(key, &range, found);
            return None;
        };
        match u64::try_from(*number) {
            Ok(count) if (least..=most).contains(&count) => Some(count),
            Ok(_) | Err(_) => {
                found.problem(self.at, &format!("`{key}` is {number}"), &range);
                None
            }
        }
    }

    /// A number.
    #[expect(clippy::cast_precision_loss, reason = "a limit above 2^53 is none that anybody writes")]
    pub(super) fn number(&self, key: &str, found: &mut Findings) -> Option<f64> {
        match &self.value {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            Value::Text(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => {
                self.wrong(key, "a number", found);
                None
            }
        }
    }

    /// A duration, at least `least`.
    pub(super) fn duration(&self, key: &str, least: Duration, found: &mut Findings) -> Option<Duration> {
        const FORM: &str = "a duration such as \"5s\", \"1h30m\" or \"250ms\"";
        let Value::Text(text) = &self.value else {
            self.wrong(key, FORM, found);
            return None;
        };
        match duration::parse(text) {
            Some(span) if span >= least => Some(span),
            Some(_) => {
                found.problem(self.at, &format!("`{key}` is too short: {text}"), &format!("at least {}", duration::write(least)));
                None
            }
            None => {
                found.problem(self.at, &format!("`{key}` is no duration: `{text}`"), FORM);
                None
            }
        }
    }

    /// Strings.
    pub(super) fn texts(&self, key: &str, found: &mut Findings) -> Vec<(At, &str)> {
        let Value::List(items) = &self.value else {
            self.wrong(key, "an array of strings", found);
            return Vec::new();
        };
        items.iter().filter_map(|item| Some((item.at, item.text(key, found)?))).collect()
    }

    /// A path; a relative one starts from the directory of its file.
    pub(super) fn path(&self, key: &str, found: &mut Findings) -> Option<PathBuf> {
        let text = self.text(key, found)?;
        Some(found.directory(self.at).map_or_else(|| PathBuf::from(text), |directory| directory.join(text)))
    }

    /// A name of some kind.
    pub(super) fn name<T>(&self, key: &str, make: impl Fn(&str) -> Result<T, NameError>, found: &mut Findings) -> Option<T> {
        let Value::Text(text) = &self.value else {
            self.wrong(key, "a string", found);
            return None;
        };
        named(self.at, key, text, make, found)
    }
}

/// Makes a name, or notes why it is none.
pub(super) fn named<T>(at: At, key: &str, text: &str, make: impl Fn(&str) -> Result<T, NameError>, found: &mut Findings) -> Option<T> {
    match make(text) {
        Ok(name) => Some(name),
        Err(error) => {
            let error = error.to_string();
            let what = error.split_once("; expected").map_or(error.as_str(), |(what, _)| what);
            found.problem(at, &format!("`{key}`: {what}"), "a name of at most 128 letters, digits, `.`, `_`, `-`");
            None
        }
    }
}
