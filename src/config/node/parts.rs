//! Long files, a few services at a time: the whole of ten thousand services at once takes forty times the memory of its text. As many at
//! once as there are processors, since nobody sees a room before its configuration is read.

use std::num::NonZero;
use std::thread::{self, Builder};

use super::{Key, Node, Table, Value, whole};
use crate::config::problem::{At, Findings};

/// Files of at least this many bytes are parsed in parts.
pub(super) const LONG: usize = 256 * 1024;
/// A part has at least this many bytes.
const PART: usize = 64 * 1024;
/// A thread of its own is worth this many bytes, and more threads than this save no time that anybody would notice.
const SHARE: usize = 512 * 1024;
const THREADS: usize = 4;
/// The list that makes files long, and where another element of it begins.
const LIST: &str = "service";
const HEADER: &str = "\n[[service]]";

/// What the whole text says; none where its parts alone do not tell it, or where anything is wrong with them.
pub(super) fn parse<'t>(text: &'t str, start: At, found: &mut Findings) -> Option<Table<'t>> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    shared(text, start, found, processors.min(THREADS).min(text.len() / SHARE))
}

/// A part begins with the header of a service, so the tables below it belong to services of its own. What else stands in it must be
/// new. A header within a string, a list or a comment leaves what is before it without an end, or is no header where a line begins.
fn shared<'t>(text: &'t str, start: At, found: &mut Findings, threads: usize) -> Option<Table<'t>> {
    let before = found.problems();
    let first = text.find(HEADER)? + 1;
    let mut table = whole(text.get(..first)?, start, found)?;
    if table.entry(LIST).is_some() || found.problems() > before {
        return None;
    }
    let shares = shares(text, first, threads);
    let (mine, others) = shares.split_first()?;
    let tables = thread::scope(|scope| {
        let others: Vec<_> = others
            .iter()
            .map(|(from, to)| (*from, *to, Builder::new().spawn_scoped(scope, move || in_parts(text, *from, *to, start))))
            .collect();
        let mut tables = vec![in_parts(text, mine.0, mine.1, start)];
        // Where no thread can be had it is done here.
        tables.extend(others.into_iter().map(|(from, to, thread)| match thread {
            Ok(thread) => thread.join().ok().flatten(),
            Err(_) => in_parts(text, from, to, start),
        }));
        tables
    });
    tables.into_iter().try_for_each(|share| share?.0.into_iter().try_for_each(|(key, node)| add(&mut table, key, node)))?;
    Some(table)
}

/// Where the shares of so many threads begin and end.
fn shares(text: &str, first: usize, threads: usize) -> Vec<(usize, usize)> {
    let mut shares = Vec::new();
    let mut from = first;
    for left in (1..=threads.max(1)).rev() {
        let to = if left == 1 { text.len() } else { header_after(text, from + (text.len() - from) / left) };
        if from < to {
            shares.push((from, to));
        }
        from = to;
    }
    shares
}

/// What the parts from one header to another say.
fn in_parts(text: &str, from: usize, to: usize, start: At) -> Option<Table<'_>> {
    // Whatever is wrong is told by the whole.
    let mut found = Findings::default();
    let mut table = Table::default();
    let mut at = from;
    while at < to {
        let end = header_after(text, at + PART).min(to);
        let part = whole(text.get(at..end)?, start.offset(at), &mut found)?;
        if !found.is_clean() {
            return None;
        }
        part.0.into_iter().try_for_each(|(key, node)| add(&mut table, key, node))?;
        at = end;
    }
    Some(table)
}

/// The first header from there on, else the end.
fn header_after(text: &str, at: usize) -> usize {
    let least = (at..text.len()).find(|place| text.is_char_boundary(*place));
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

    fn read(text: &str, how: impl for<'t> Fn(&'t str, At, &mut Findings) -> Option<Table<'t>>) -> (Option<String>, usize) {
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
        let all = read(&text, whole);
        assert!(all.0.is_some() && all.1 == 0);
        assert_eq!(read(&text, parse), all);
        for threads in 0..=THREADS {
            assert!(shares(&text, text.find(HEADER).unwrap(), threads).len() == threads.max(1), "{threads}");
            assert!(read(&text, |text, start, found| shared(text, start, found, threads)) == all, "{threads}");
        }
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
            for threads in [1, 3] {
                let told = read(&text, |text, start, found| shared(text, start, found, threads));
                assert_eq!(told.0, None, "{before:?} .. {after:?} by {threads}");
            }
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
