//! YAML as the same tables with positions that TOML files give. Aliases are not followed, so no file is larger than it looks.

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::node::{Key, Node, Table, Value};
use super::problem::{At, Findings};

/// How deep tables and lists may lie in each other.
const DEEPEST: usize = 32;
/// Values of one file.
const MOST: usize = 100_000;

/// What is being read: a list, or a table with the key whose value comes next.
enum Open {
    List(At, Vec<Node<'static>>),
    Table(At, Table<'static>, Option<Key<'static>>),
}

/// Reads every document of a text. None when it is no YAML; `found` then says why.
pub(super) fn parse(text: &str, start: At, found: &mut Findings) -> Option<Vec<Node<'static>>> {
    let offsets: Vec<usize> = text.char_indices().map(|(offset, _)| offset).collect();
    let place = |index: usize| start.offset(offsets.get(index).copied().unwrap_or(text.len()));
    let (mut documents, mut open) = (Vec::new(), Vec::<Open>::new());
    let mut count = 0_usize;
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                found.problem(place(error.marker().index()), &format!("no valid YAML: {}", error.info()), "YAML 1.2");
                return None;
            }
        };
        let at = place(span.start.index());
        count += 1;
        if open.len() > DEEPEST || count > MOST {
            found.problem(at, "the file is too deep or too long", &format!("at most {DEEPEST} levels and {MOST} values"));
            return None;
        }
        let done = match event {
            Event::Alias(_) => {
                found.problem(at, "an alias is not followed", "the value itself");
                return None;
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(at, Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                open.push(Open::Table(at, Table::default(), None));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(|closed| match closed {
                Open::List(at, items) => Some(Node { at, value: Value::List(items) }),
                Open::Table(at, table, _) => Some(Node { at, value: Value::Table(table) }),
            }),
            Event::Scalar(text, style, ..) => match open.last_mut() {
                Some(Open::Table(_, table, key)) if key.is_none() => {
                    if table.get(&text).is_some() {
                        found.problem(at, &format!("the key `{text}` stands twice"), "each key once");
                    }
                    *key = Some(Key { at, name: text.into_owned().into() });
                    None
                }
                Some(_) | None => Some(scalar(&text, style).map(|value| Node { at, value })),
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => None,
        };
        let Some(node) = done else { continue };
        match open.last_mut() {
            None => documents.extend(node),
            Some(Open::List(_, items)) => items.extend(node),
            Some(Open::Table(_, table, key)) => {
                let Some(key) = key.take() else {
                    found.problem(at, "a key is a table or a list", "a word");
                    return None;
                };
                // What is null is as if it were not there.
                table.0.extend(node.map(|node| (key, node)));
            }
        }
    }
    Some(documents)
}

/// A scalar; none is null.
fn scalar(text: &str, style: ScalarStyle) -> Option<Value<'static>> {
    if style != ScalarStyle::Plain {
        return Some(Value::Text(text.to_owned().into()));
    }
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => return None,
        "true" | "True" | "TRUE" => Value::Flag(true),
        "false" | "False" | "FALSE" => Value::Flag(false),
        _ => {
            let number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
            match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(integer), _) if number => Value::Integer(integer),
                (Err(_), Ok(float)) if number && float.is_finite() => Value::Float(float),
                (_, _) => Value::Text(text.to_owned().into()),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn read(text: &str) -> (Option<Vec<Node<'static>>>, Vec<String>) {
        let mut found = Findings::default();
        let start = found.source("f", Path::new("/"), text.to_owned());
        let documents = parse(text, start, &mut found);
        (documents, found.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn documents_keys_and_values_have_their_places() {
        let (documents, problems) = read("a: 1\nb:\n  - 99.9\n  - \"5\"\n  - ~\n---\nc: {d: true}\n");
        assert_eq!(problems, Vec::<String>::new());
        let documents = documents.unwrap();
        let Value::Table(first) = &documents[0].value else { panic!("a table") };
        let Value::List(items) = &first.get("b").unwrap().value else { panic!("a list") };
        assert!(matches!((&items[0].value, &items[1].value), (Value::Float(_), Value::Text(text)) if text == "5"));
        assert_eq!((items.len(), documents.len()), (2, 2));
    }

    #[test]
    fn what_is_no_yaml_or_too_much_of_it_is_refused_where_it_is() {
        let (documents, problems) = read("a: [1, 2\nb: 3\n");
        assert!(documents.is_none() && problems[0].starts_with("f:2:"), "{problems:?}");
        let (documents, problems) = read("a: &x [1]\nb: *x\n");
        assert!(documents.is_none());
        assert_eq!(problems, ["f:2:4: an alias is not followed; expected the value itself"]);
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        let (documents, problems) = read(&deep);
        assert!(documents.is_none() && problems[0].contains("too deep"), "{problems:?}");
        let (_, problems) = read("a: 1\na: 2\n");
        assert_eq!(problems, ["f:2:1: the key `a` stands twice; expected each key once"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-a:\\[\\]{}|>&*!\"'#%,? \\n~é0-9.]{0,120}") {
            let _ = read(&text);
        }
    }
}
