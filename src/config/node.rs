//! The values of a TOML file with their positions, in a form that layers can be merged in. What stands in the file as it is meant is not copied.

mod parts;

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{At, Findings};

/// How deep tables and lists may lie in each other.
const DEEPEST: usize = 16;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node<'t> {
    pub(super) at: At,
    pub(super) value: Value<'t>,
}

/// A key and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Key<'t> {
    pub(super) at: At,
    pub(super) name: Cow<'t, str>,
}

/// A table in the order of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Table<'t>(pub(super) Vec<(Key<'t>, Node<'t>)>);

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value<'t> {
    Text(Cow<'t, str>),
    Integer(i64),
    Float(f64),
    Flag(bool),
    Date,
    List(Vec<Node<'t>>),
    Table(Table<'t>),
}

impl<'t> Table<'t> {
    /// The value of a key.
    pub(super) fn get(&self, name: &str) -> Option<&Node<'t>> {
        self.entry(name).map(|(_, node)| node)
    }

    /// A key with its value.
    pub(super) fn entry(&self, name: &str) -> Option<&(Key<'t>, Node<'t>)> {
        self.0.iter().find(|(key, _)| key.name == name)
    }
}

impl Value<'_> {
    /// What it is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Flag(_) => "a boolean",
            Self::Date => "a date",
            Self::List(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}

/// Parses a file's text. None when it is no TOML; `found` then says why.
pub(super) fn parse<'t>(text: &'t str, start: At, found: &mut Findings) -> Option<Table<'t>> {
    if text.len() < parts::LONG {
        return whole(text, start, found);
    }
    let before = found.problems();
    parts::parse(text, start, found).or_else(|| {
        found.back_to(before);
        whole(text, start, found)
    })
}

fn whole<'t>(text: &'t str, start: At, found: &mut Findings) -> Option<Table<'t>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut deep = Vec::new();
    let table = table(root.into_inner(), start, 0, found, &mut deep);
    dismantle(deep);
    for error in &errors {
        let offset = error.span().map_or(text.len(), |span| span.start);
        let (what, expected) = error.message().split_once(", expected ").unwrap_or((error.message(), "valid TOML"));
        let expected = if what == "duplicate key" { "each key once" } else { expected };
        found.problem(start.offset(offset), &format!("no valid TOML: {what}"), expected);
    }
    errors.is_empty().then_some(table)
}

fn table<'t>(raw: DeTable<'t>, start: At, depth: usize, found: &mut Findings, deep: &mut Vec<DeValue<'t>>) -> Table<'t> {
    let mut entries: Vec<_> = raw
        .into_iter()
        .map(|(key, value)| {
            let at = start.offset(key.span().start);
            (Key { at, name: key.into_inner() }, node(value, start, depth + 1, found, deep))
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.at);
    Table(entries)
}

fn node<'t>(raw: Spanned<DeValue<'t>>, start: At, depth: usize, found: &mut Findings, deep: &mut Vec<DeValue<'t>>) -> Node<'t> {
    let at = start.offset(raw.span().start);
    let raw = raw.into_inner();
    if depth > DEEPEST {
        found.problem(at, "tables lie too deep in each other", &format!("at most {DEEPEST} levels"));
        deep.push(raw);
        return Node { at, value: Value::Flag(false) };
    }
    let value = match raw {
        DeValue::String(text) => Value::Text(text),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            if number.is_err() {
                found.problem(at, "the integer is too large", "at most 64 bits");
            }
            Value::Integer(number.unwrap_or_default())
        }
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Float(number),
            Ok(_) | Err(_) => {
                found.problem(at, "the number is not finite", "a finite number");
                Value::Float(0.0)
            }
        },
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(list) => Value::List(list.into_iter().map(|item| node(item, start, depth + 1, found, deep)).collect()),
        DeValue::Table(raw) => Value::Table(table(raw, start, depth, found, deep)),
    };
    Node { at, value }
}

/// Takes values apart without recursion: dropping tables that lie thousands deep in each other would overflow the stack.
fn dismantle(mut deep: Vec<DeValue<'_>>) {
    while let Some(value) = deep.pop() {
        match value {
            DeValue::Array(list) => deep.extend(list.into_iter().map(Spanned::into_inner)),
            DeValue::Table(table) => deep.extend(table.into_iter().map(|(_, value)| value.into_inner())),
            DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn problems(text: &str) -> Vec<String> {
        let mut found = Findings::default();
        let start = found.source("f", Path::new("/"), text.to_owned());
        let _ = parse(text, start, &mut found);
        found.into_parts().0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_key_of_very_many_dots_is_refused_and_not_a_crash() {
        let found = problems(&format!("{}a = 1\n", "a.".repeat(100_000)));
        assert!(found.first().is_some_and(|problem| problem.contains("recursion limit")), "{found:?}");
    }

    #[test]
    fn tables_that_lie_very_deep_are_refused_and_not_a_crash() {
        let key = format!("{}a", "a.".repeat(70));
        let found = problems(&format!("{}{key} = 1{}\n", format!("{key} = {{ ").repeat(70), " }".repeat(70)));
        assert_eq!(found, ["f:1:33: tables lie too deep in each other; expected at most 16 levels"]);
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused_where_it_stands() {
        assert_eq!(problems("a = nan\n"), ["f:1:5: the number is not finite; expected a finite number"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let _ = problems(&text);
        }
    }
}
