//! Flow collections of YAML, `{name: v1, weight: 80}` and lists of them, over several lines, with where each word stands.

use std::ops::Range;

/// How deep collections may stand in each other.
const DEEPEST: usize = 32;

/// A flow collection or a word in one.
#[derive(Debug, Clone)]
pub(super) enum Flow<'t> {
    /// A mapping in its order.
    Map(Vec<(&'t str, Self)>),
    /// A list.
    List(Vec<Self>),
    /// A word, with its quotes, and where it stands.
    Word(&'t str, Range<usize>),
}

impl Flow<'_> {
    /// The value of a key, which must not stand twice.
    pub(super) fn get(&self, key: &str) -> Result<Option<&Self>, String> {
        let Self::Map(members) = self else { return Err(format!("`{key}` is looked for in what is no mapping")) };
        let mut found = members.iter().filter(|(name, _)| *name == key).map(|(_, value)| value);
        let first = found.next();
        if found.next().is_some() {
            return Err(format!("`{key}` stands twice"));
        }
        Ok(first)
    }
}

/// Reads the collection that begins at a byte of the text.
pub(super) fn read(text: &str, at: usize) -> Result<Flow<'_>, String> {
    let mut reader = Reader { text, at };
    let flow = reader.value(0)?;
    let behind = reader.rest().split('\n').next().unwrap_or_default().trim_start();
    if behind.is_empty() || behind.starts_with('#') { Ok(flow) } else { Err("goes on behind its closing bracket".to_owned()) }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes over blanks, ends of lines and comments.
    fn blanks(&mut self) {
        loop {
            let rest = self.rest();
            let words = rest.trim_start();
            let before = rest.len() - words.len();
            let begins = before > 0 || self.text.get(..self.at).is_none_or(|text| text.ends_with([',', '[', '{', '\n', ' ']));
            self.at += before;
            match words.strip_prefix('#') {
                Some(comment) if begins => self.at += 1 + comment.find('\n').unwrap_or(comment.len()),
                Some(_) | None => return,
            }
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        self.blanks();
        let there = self.rest().starts_with(wanted);
        if there {
            self.at += wanted.len_utf8();
        }
        there
    }

    fn value(&mut self, depth: usize) -> Result<Flow<'t>, String> {
        if depth > DEEPEST {
            return Err("stands in too many brackets".to_owned());
        }
        if self.take('{') {
            return self.members(depth);
        }
        if self.take('[') {
            return self.list(depth);
        }
        let (word, range) = self.word()?;
        Ok(Flow::Word(word, range))
    }

    fn list(&mut self, depth: usize) -> Result<Flow<'t>, String> {
        let mut items = Vec::new();
        while !self.take(']') {
            items.push(self.value(depth + 1)?);
            if !self.take(',') {
                if self.take(']') {
                    break;
                }
                return Err("has a list that does not close".to_owned());
            }
        }
        Ok(Flow::List(items))
    }

    fn members(&mut self, depth: usize) -> Result<Flow<'t>, String> {
        let mut members = Vec::new();
        while !self.take('}') {
            let (key, _) = self.word()?;
            if key == "<<" {
                return Err("merges another mapping in".to_owned());
            }
            let key = key.trim_matches(['"', '\'']);
            if !self.take(':') {
                return Err(format!("has `{key}` without a value"));
            }
            members.push((key, self.value(depth + 1)?));
            if !self.take(',') {
                if self.take('}') {
                    break;
                }
                return Err("has a mapping that does not close".to_owned());
            }
        }
        Ok(Flow::Map(members))
    }

    /// A quoted word, or a plain one up to what ends it.
    fn word(&mut self) -> Result<(&'t str, Range<usize>), String> {
        self.blanks();
        let rest = self.rest();
        let length = match rest.chars().next() {
            None => return Err("ends in the middle".to_owned()),
            Some('&' | '*' | '!' | '|' | '>' | '%' | '@' | '`' | '?') => return Err("holds an anchor, alias or tag".to_owned()),
            Some(quote @ ('"' | '\'')) => {
                let end = rest.get(1..).and_then(|rest| rest.find(quote)).ok_or("has a quote that does not close")?;
                if rest.get(..end + 1).is_some_and(|inside| inside.contains('\\')) {
                    return Err("has an escape in quotes".to_owned());
                }
                end + 2
            }
            Some(_) => plain(rest),
        };
        let word = rest.get(..length).unwrap_or_default();
        if word.is_empty() {
            return Err("has an empty word".to_owned());
        }
        let range = self.at..self.at + length;
        self.at = range.end;
        Ok((word, range))
    }
}

/// How long a plain word is: up to a bracket, a comma, a colon before a blank, a comment or the end of its line.
fn plain(rest: &str) -> usize {
    let mut end = 0;
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let stops = matches!(c, ',' | '[' | ']' | '{' | '}' | '\n')
            || (c == ':' && next.is_none_or(|next| next.is_whitespace() || matches!(next, ',' | '[' | ']' | '{' | '}')))
            || (c == '#' && rest.get(..at).is_some_and(|before| before.ends_with([' ', '\t'])));
        if stops {
            break;
        }
        if !c.is_whitespace() {
            end = at + c.len_utf8();
        }
    }
    end
}
