//! The lines of an iCalendar: unfolded, taken apart into name, parameters and value, and put together into components.

use std::borrow::Cow;

use crate::model::text::Text;

/// How deep components may lie in each other: `VCALENDAR`, `VEVENT`, `VALARM`, and one more.
const DEEPEST: usize = 4;
/// The most lines of one event or zone that are kept; the bytes of the whole are bounded before.
const MOST_LINES: usize = 2_000;

/// One property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property<'a> {
    /// Its name in upper case.
    pub(super) name: String,
    /// Its parameters, their names in upper case, their values without quotes.
    parameters: Vec<(String, String)>,
    /// Its value as it is written.
    pub(super) value: Cow<'a, str>,
}

impl Property<'_> {
    /// A parameter's value.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// A component with what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component<'a> {
    /// Its name in upper case.
    pub(super) name: String,
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    /// Its properties.
    pub(super) properties: Vec<Property<'a>>,
    /// The components in it.
    pub(super) components: Vec<Component<'a>>,
    /// The first line in it that is none.
    pub(super) wrong: Option<usize>,
}

impl<'a> Component<'a> {
    fn new(name: String, line: usize) -> Self {
        Self { name, line, properties: Vec::new(), components: Vec::new(), wrong: None }
    }

    /// All properties of a name.
    pub(super) fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Property<'a>> + 'b {
        self.properties.iter().filter(move |property| property.name == name)
    }

    /// The one property of a name.
    ///
    /// # Errors
    /// When it stands twice.
    pub(super) fn one(&self, name: &'static str) -> Result<Option<&Property<'a>>, String> {
        let mut all = self.properties.iter().filter(|property| property.name == name);
        let first = all.next();
        if all.next().is_some() { Err(format!("it has two of {name}")) } else { Ok(first) }
    }
}

/// Reads the one `VCALENDAR` of a text.
pub(super) fn read(text: &str) -> Result<Component<'_>, String> {
    let mut open: Vec<Component<'_>> = Vec::new();
    let mut whole = None;
    for (number, line) in unfold(text) {
        if line.trim().is_empty() {
            continue;
        }
        if whole.is_some() {
            return Err(format!("line {number}: something stands after the end of the calendar"));
        }
        let property = property(line);
        let Some(inner) = open.last_mut() else {
            match property {
                Some(begin) if begin.name == "BEGIN" && begin.value.trim().eq_ignore_ascii_case("VCALENDAR") => {
                    open.push(Component::new("VCALENDAR".to_owned(), number));
                    continue;
                }
                Some(_) | None => return Err(format!("it is no iCalendar: line {number} is not BEGIN:VCALENDAR")),
            }
        };
        let Some(property) = property else {
            inner.wrong.get_or_insert(number);
            continue;
        };
        match property.name.as_str() {
            "BEGIN" => {
                if open.len() >= DEEPEST {
                    return Err(format!("line {number}: components lie too deep in each other"));
                }
                open.push(Component::new(property.value.trim().to_ascii_uppercase(), number));
            }
            "END" => {
                let ends = property.value.trim().to_ascii_uppercase();
                let Some(done) = open.pop().filter(|done| done.name == ends) else {
                    let what = Text::clean_within(property.value.trim(), 40);
                    return Err(format!("line {number}: END:{what} ends what did not begin"));
                };
                match open.last_mut() {
                    Some(outer) => outer.components.push(done),
                    None => whole = Some(done),
                }
            }
            _ if inner.properties.len() < MOST_LINES => inner.properties.push(property),
            _ => {
                inner.wrong.get_or_insert(number);
            }
        }
    }
    whole.ok_or_else(|| "the calendar is cut off: END:VCALENDAR is missing".to_owned())
}

/// The lines with their numbers, those that begin with a space or a tab put behind the one before.
fn unfold(text: &str) -> Vec<(usize, Cow<'_, str>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<(usize, Cow<'_, str>)> = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, last))) => last.to_mut().push_str(rest),
            _ => lines.push((number + 1, Cow::Borrowed(line))),
        }
    }
    lines
}

/// Takes a line apart. None when it is none.
fn property(line: Cow<'_, str>) -> Option<Property<'_>> {
    let end = line.find([':', ';'])?;
    let name = line.get(..end)?;
    let plain = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !plain(name) {
        return None;
    }
    let name = name.to_ascii_uppercase();
    let mut parameters = Vec::new();
    let mut at = end;
    while line.get(at..)?.starts_with(';') {
        let rest = line.get(at + 1..)?;
        let (parameter, value) = rest.split_once('=').filter(|(parameter, _)| plain(parameter))?;
        let from = at + 1 + parameter.len() + 1;
        let length = parameter_length(value)?;
        parameters.push((parameter.to_ascii_uppercase(), line.get(from..from + length)?.replace('"', "")));
        at = from + length;
    }
    line.get(at..)?.starts_with(':').then_some(())?;
    let value = match line {
        Cow::Borrowed(line) => Cow::Borrowed(line.get(at + 1..)?),
        Cow::Owned(line) => Cow::Owned(line.get(at + 1..)?.to_owned()),
    };
    Some(Property { name, parameters, value })
}

/// The length of a parameter's values: up to a semicolon or colon that stands in no quotes.
fn parameter_length(text: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b';' | b':' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The text of a value without its escapes.
pub(super) fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match (c, c == '\\') {
            (_, true) => match characters.next() {
                Some('n' | 'N') => out.push(' '),
                Some(other) => out.push(other),
                None => {}
            },
            (other, false) => out.push(other),
        }
    }
    out
}

/// The texts of a list, which commas without a backslash part.
pub(super) fn list(value: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in value.chars() {
        if c == ',' && !escaped {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    parts.iter().map(|part| unescape(part).trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_parameters_and_a_value() {
        let line = property(Cow::Borrowed("dtstart;tzid=\"a;b:c\";X=1:2026:x")).unwrap();
        assert_eq!((line.name.as_str(), line.parameter("TZID"), line.parameter("X")), ("DTSTART", Some("a;b:c"), Some("1")));
        assert_eq!(line.value, "2026:x");
        for wrong in ["", "no colon", ":value", "A;B:c", "A;B=\"c:d", "A B:c", "A;=x:y"] {
            assert_eq!(property(Cow::Borrowed(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn what_ends_and_did_not_begin_is_named_in_short() {
        let why = read(&format!("BEGIN:VCALENDAR\nEND:{}\n", "x".repeat(5_000))).unwrap_err();
        assert_eq!(why, format!("line 2: END:{}… ends what did not begin", "x".repeat(40)));
    }

    #[test]
    fn a_folded_line_is_one_line_and_keeps_its_number() {
        let lines = unfold("\u{feff}A:1\r\nB:2\r\n  3\r\n\t4\r\nC:5\n");
        let lines: Vec<(usize, &str)> = lines.iter().map(|(number, line)| (*number, line.as_ref())).collect();
        assert_eq!(lines, [(1, "A:1"), (2, "B:2 34"), (5, "C:5"), (6, "")]);
    }

    #[test]
    fn a_list_is_parted_by_commas_that_are_not_escaped() {
        assert_eq!(list("RELEASE, a\\,b ,\\\\,,c\\nd"), ["RELEASE", "a,b", "\\", "c d"]);
    }
}
