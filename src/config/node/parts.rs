//! Long files, a few services at a time: the whole of ten thousand services at once takes forty times the memory of its text.

use super::{Key, Node, Table, Value, whole};
use crate::config::problem::{At, Findings};

/// Files of at least this many bytes are parsed in parts.
pub(super) const LONG: usize = 256 * 1024;
/// A part has at least this many bytes.
const PART: usize = 64 * 1024;
/// The list that makes files long, and where another element of it begins.
const LIST: &str = "service";
const HEADER: &str = "\n[[service]]";

/// What the whole text says; none where its parts alone do not tell it, or where anything is wrong with them.
///
/// A part begins with the header of a service, so the tables below it belong to services of its own. What else stands in it must be
/// new. A header within a string, a list or a comment leaves what is before it without an end, or is no header where a line begins.
pub(super) fn parse<'t>(text: &'t str, start: At, found: &mut Findings) -> Option<Table<'t>> {
    let before = found.problems();
    let first = text.find(HEADER)? + 1;
    let mut table = whole(text.get(..first)?, start, found)?;
    if table.entry(LIST).is_some() {
        return None;
    }
    let mut at = first;
    while at < text.len() {
        let end = end_of_part(text, at);
        let part = whole(text.get(at..end)?, start.offset(at), found)?;
        if found.problems() > before {
            return None;
        }
        for (key, node) in part.0 {
            add(&mut table, key, node)?;
        }
        at = end;
    }
    Some(table)
}

fn end_of_part(text: &str, at: usize) -> usize {
    let least = (at + PART..text.len()).find(|place| text.is_char_boundary(*place));
    let header = least.and_then(|least| text.get(least..)?.find(HEADER).map(|place| least + place + 1));
    header.unwrap_or(text.len())
}

/// Adds what a part has under a key; none where that was there before and is not the list of services.
fn add<'t>(table: &mut Table<'t>, key: Key<'t>, node: Node<'t>) -> Option<()> {
    let Some((_, known)) = table.0.iter_mut().find(|(known, _)| known.name == key.name) else {
        table.0.push((key, node));
        return Some(());
    };
    match (key.name == LIST, &mut known.value, node.value) {
        (true, Value::List(known), Value::List(more)) => {
            known.extend(more);
            Some(())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use super::*;

    fn read(text: &str, how: for<'t> fn(&'t str, At, &mut Findings) -> Option<Table<'t>>) -> (Option<String>, usize) {
        let mut found = Findings::default();
        let start = found.source("f", Path::new("/"), text.to_owned());
        let table = how(text, start, &mut found).map(|table| format!("{table:?}"));
        (table, found.problems())
    }

    fn services(count: usize, each: &str) -> String {
        (0..count).fold(String::new(), |mut text, n| {
            let _ = write!(
                text,
                "\n[[service]]\nname = \"service-{n}\"\ntier = 1\n[service.deploy.prod]\n{each}\n[[service.signal]]\nname = \"a\"\n"
            );
            text
        })
    }

    #[test]
    fn parts_say_what_the_whole_says_with_the_same_places() {
        let before = "# ä\n[room]\nname = \"x\"\n[[environment]]\nname = \"prod\"\n";
        let text = format!("{before}{}\n[store]\npath = \"/x\"\n", services(2_000, "canary = { steps = [1, 5] }"));
        assert!(text.len() > 2 * PART, "{}", text.len());
        let (parts, wrong) = read(&text, parse);
        assert!(parts.is_some() && wrong == 0);
        assert_eq!(parts, read(&text, whole).0);
    }

    #[test]
    fn what_parts_cannot_tell_is_left_to_the_whole() {
        for (before, after) in [
            ("[room]\nname = \"x\"\n", "[room]\nzone = \"UTC\"\n"),
            ("service = []\n", ""),
            ("[[service]]\nname = \"first\"\n", ""),
            ("[room]\nname = 1e999\n", ""),
            ("[[backend]]\nname = \"a\"\n", "[[backend]]\nname = \"b\"\n"),
            ("", "[service]\nname = 1\n"),
            ("", "x = \n"),
            ("x = \"\"\"\n", "\"\"\"\n"),
            ("x = \'\'\'\n[[service]]\n", "\'\'\'\n"),
            ("x = [\n", "]\n"),
            ("x = { a = [\n", "] }\n"),
        ] {
            let text = format!("{before}{}{after}", services(1_000, ""));
            assert_eq!(read(&text, parse).0, None, "{before:?} .. {after:?}");
            let mut found = Findings::default();
            let start = found.source("f", Path::new("/"), text.clone());
            let told = super::super::parse(&text, start, &mut found).map(|table| format!("{table:?}"));
            let (as_whole, wrong) = read(&text, whole);
            assert_eq!((told, found.problems()), (as_whole, wrong), "{before:?} .. {after:?}");
        }
    }

    #[test]
    fn no_list_of_services_is_no_work_for_parts() {
        assert_eq!(read("[room]\nname = \"x\"\n", parse), (None, 0));
    }
}
