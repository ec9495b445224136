//! A reader of the YAML that people write for Traefik: block and flow mappings, lists, plain and quoted words, comments. It follows one
//! path and passes over the rest unread; an anchor, alias, tag or several documents on its way are refused, for an edit of bytes would
//! not mean there what it says.

use std::ops::Range;

use super::flow::{self, Flow};
use super::weight::{Place, bare};

/// One line with something on it: where its words begin, how far they are indented, and the words without a comment.
#[derive(Debug, Clone, Copy)]
struct Line<'t> {
    number: usize,
    start: usize,
    indent: usize,
    words: &'t str,
}

/// A value that was reached.
enum Value<'t> {
    /// A mapping or list in lines of its own.
    Block(Vec<Line<'t>>),
    /// One that begins on the line of its key.
    Flow(Flow<'t>),
    /// A word, with where it stands.
    Word(&'t str, Range<usize>),
}

/// The weights under a weighted service, or the per cents under one that copies.
pub(super) fn places(text: &str, service: &str) -> Result<Vec<Place>, String> {
    let root = Value::Block(lines(text)?);
    let missing = |key: &str| format!("it has no weighted service {service}: `{key}` is not there");
    let mut at = root;
    for key in ["http", "services", service] {
        at = get(text, &at, key)?.ok_or_else(|| missing(key))?;
    }
    let copies = get(text, &at, "mirroring")?;
    let [kind, list, weight] = if copies.is_some() { ["mirroring", "mirrors", "percent"] } else { ["weighted", "services", "weight"] };
    for key in [kind, list] {
        at = get(text, &at, key)?.ok_or_else(|| missing(key))?;
    }
    items(text, &at)?.iter().map(|item| place(text, item, weight)).collect()
}

fn place(text: &str, item: &Value<'_>, key: &str) -> Result<Place, String> {
    let Some(Value::Word(name, _)) = get(text, item, "name")? else { return Err("a service in the list has no `name`".to_owned()) };
    let weight = match get(text, item, key)? {
        None => None,
        Some(Value::Word(digits, range)) => Some((plain(digits)?, range)),
        Some(Value::Block(_) | Value::Flow(_)) => return Err(format!("the weight of {name} is no number")),
    };
    Ok(Place { name: bare(unquoted(name)), weight })
}

/// A number in plain decimal digits; one that begins with 0 would be read as octal.
fn plain(digits: &str) -> Result<u32, String> {
    let decimal = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|_| decimal).ok_or_else(|| format!("the weight `{digits}` is not written in plain digits"))
}

fn unquoted(word: &str) -> &str {
    let within = |quote: char| word.strip_prefix(quote).and_then(|word| word.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(word)
}

/// The lines that say something.
fn lines(text: &str) -> Result<Vec<Line<'_>>, String> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut start = 0;
    for (number, whole) in text.split_inclusive('\n').enumerate() {
        let begin = start;
        start += whole.len();
        let words = whole.trim_start_matches(' ');
        let indent = whole.len() - words.len();
        let words = without_comment(words.trim_end());
        if words.is_empty() {
            continue;
        }
        if words.starts_with('\t') {
            return Err(format!("line {} is indented by a tab", number + 1));
        }
        if indent == 0 && (words == "..." || words.starts_with("--- ") || words.starts_with('%') || (words == "---" && !lines.is_empty())) {
            return Err(format!("line {}: more than one plain document", number + 1));
        }
        if words != "---" {
            lines.push(Line { number: number + 1, start: begin + indent, indent, words });
        }
    }
    Ok(lines)
}

/// What stands before a comment; a `#` begins one at the start or after a blank, outside of quotes.
fn without_comment(words: &str) -> &str {
    let mut quote = None;
    let mut blank = true;
    for (at, c) in words.char_indices() {
        match (quote, c) {
            (None, '#') if blank => return words.get(..at).unwrap_or_default().trim_end(),
            // An apostrophe within a word is no quote.
            (None, '"' | '\'') if blank || words.get(..at).is_some_and(|before| before.ends_with(['[', '{', ',', ':'])) => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        blank = c.is_whitespace();
    }
    words
}

/// The key of a line and what follows its colon, with where that begins.
fn split<'t>(line: &Line<'t>) -> Option<(&'t str, usize, &'t str)> {
    let (key, colon) = if let quote @ ('"' | '\'') = line.words.chars().next()? {
        let end = line.words.get(1..)?.find(quote)? + 1;
        (line.words.get(1..end)?, end + 1)
    } else {
        let ends = line.words.strip_suffix(':').filter(|key| !key.contains(": ")).map(str::len);
        let colon = line.words.find(": ").or(ends)?;
        (line.words.get(..colon)?, colon)
    };
    let behind = line.words.get(colon..)?.strip_prefix(':')?;
    let rest = behind.trim_start();
    (behind.is_empty() || behind.starts_with(' ')).then_some((key, line.start + line.words.len() - rest.len(), rest))
}

/// The value of a key in a mapping.
fn get<'t>(text: &'t str, value: &Value<'t>, key: &str) -> Result<Option<Value<'t>>, String> {
    match value {
        Value::Flow(flow) => Ok(flow.get(key)?.map(of_flow)),
        Value::Word(..) => Err(format!("`{key}` is looked for in what is no mapping")),
        Value::Block(lines) => get_in_lines(text, lines, key),
    }
}

fn of_flow<'t>(flow: &Flow<'t>) -> Value<'t> {
    match flow {
        Flow::Word(word, range) => Value::Word(word, range.clone()),
        Flow::Map(_) | Flow::List(_) => Value::Flow(flow.clone()),
    }
}

fn get_in_lines<'t>(text: &'t str, lines: &[Line<'t>], key: &str) -> Result<Option<Value<'t>>, String> {
    let Some(first) = lines.first() else { return Ok(None) };
    let mut found: Option<(usize, &'t str, Vec<Line<'t>>)> = None;
    let mut taking = false;
    for line in lines {
        let item = line.words == "-" || line.words.starts_with("- ");
        // A list may stand as far left as the key that it belongs to.
        if line.indent > first.indent || (line.indent == first.indent && item && line.start != first.start) {
            if let (true, Some((_, _, below))) = (taking, &mut found) {
                below.push(*line);
            }
            continue;
        }
        let unreadable = || format!("line {} is no key with its value", line.number);
        if line.indent < first.indent || item {
            return Err(unreadable());
        }
        let (name, at, rest) = split(line).ok_or_else(unreadable)?;
        if name == "<<" {
            return Err(format!("line {} merges another mapping in", line.number));
        }
        taking = name == key;
        if taking {
            if found.is_some() {
                return Err(format!("`{key}` stands twice, the second time in line {}", line.number));
            }
            found = Some((at, rest, Vec::new()));
        }
    }
    let Some((at, rest, below)) = found else { return Ok(None) };
    value(text, at, rest, below).map(Some).map_err(|wrong| format!("`{key}` {wrong}"))
}

fn value<'t>(text: &'t str, at: usize, rest: &'t str, below: Vec<Line<'t>>) -> Result<Value<'t>, String> {
    match rest.chars().next() {
        None => Ok(Value::Block(below)),
        Some('{' | '[') => Ok(of_flow(&flow::read(text, at)?)),
        Some('&' | '*' | '!' | '|' | '>' | '%' | '@' | '`' | '?') => Err("is an anchor, alias, tag or block of text".to_owned()),
        Some(_) if !below.is_empty() => Err("goes on over several lines".to_owned()),
        Some(_) => Ok(Value::Word(rest, at..at + rest.len())),
    }
}

/// The items of a list.
fn items<'t>(text: &'t str, value: &Value<'t>) -> Result<Vec<Value<'t>>, String> {
    let lines = match value {
        Value::Block(lines) => lines,
        Value::Flow(Flow::List(items)) => return Ok(items.iter().map(of_flow).collect()),
        Value::Flow(Flow::Map(_) | Flow::Word(..)) | Value::Word(..) => return Err("the weighted services are no list".to_owned()),
    };
    let indent = lines.first().map_or(0, |line| line.indent);
    let mut items: Vec<Vec<Line<'t>>> = Vec::new();
    for line in lines {
        match line.words.strip_prefix('-').filter(|rest| line.indent == indent && (rest.is_empty() || rest.starts_with(' '))) {
            Some(rest) => {
                let words = rest.trim_start();
                let shift = line.words.len() - words.len();
                let first = Line { start: line.start + shift, indent: line.indent + shift, words, number: line.number };
                items.push(if words.is_empty() { Vec::new() } else { vec![first] });
            }
            None if line.indent > indent => items.last_mut().ok_or("the weighted services are no list")?.push(*line),
            None => return Err(format!("line {} is no item of the list", line.number)),
        }
    }
    let item = |lines: Vec<Line<'t>>| match lines.first() {
        Some(first) if first.words.starts_with(['{', '[']) => flow::read(text, first.start).map(|flow| of_flow(&flow)),
        Some(first) if first.words.starts_with(['&', '*', '!']) => Err(format!("line {} is an anchor, alias or tag", first.number)),
        Some(_) | None => Ok(Value::Block(lines)),
    };
    items.into_iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::super::spans::written;
    use super::*;
    use proptest::prelude::*;

    const BLOCK: &str = "# the shop's\nhttp:\n  routers:\n    r: {rule: \"Host(`a`) && Path(`/#x`)\", service: checkout}\n  services:\n    other:\n      weighted:\n        services:\n        - name: v1\n          weight: 7\n    checkout:   # the one\n      weighted:\n        services:\n          - name: v1\n            weight: 100 # it's stable\n\n          # the new one\n          -\n            weight: 0\n            name: \"v2@file\"\n        sticky: {cookie: {}}\n";
    const FLOW: &str =
        "http: {services: {checkout: {weighted: {services: [{name: v1, weight: 100}, # first\n   {\"weight\":0, 'name': v2}]}}}}\n";
    const MIXED: &str = "---\nhttp:\n  services:\n    checkout:\n      weighted:\n        services:\n        - {name: v1, weight: 100}\n        - name: v2\n          weight: 0\n        healthCheck: {}\ntls: {}\n";

    fn change(text: &str, one: u32, two: u32) -> Result<String, String> {
        let places = places(text, "checkout")?;
        assert_eq!(places.iter().map(|place| place.name.as_str()).collect::<Vec<_>>(), ["v1", "v2"]);
        assert_eq!(places.iter().map(|place| place.weight.clone().unwrap().0).collect::<Vec<_>>(), [100, 0]);
        let changes: Vec<_> = places.iter().zip([one, two]).map(|(place, new)| (place.weight.clone().unwrap().1, new)).collect();
        Ok(written(text, &changes).unwrap())
    }

    #[test]
    fn weights_are_changed_in_their_places_and_nowhere_else() {
        assert_eq!(change(BLOCK, 80, 20).unwrap(), BLOCK.replace("weight: 100", "weight: 80").replace("weight: 0\n", "weight: 20\n"));
        assert_eq!(change(FLOW, 80, 20).unwrap(), FLOW.replace("weight: 100", "weight: 80").replace("\"weight\":0", "\"weight\":20"));
        assert_eq!(change(MIXED, 0, 256).unwrap(), MIXED.replace("weight: 100", "weight: 0").replace("weight: 0\n", "weight: 256\n"));
        assert_eq!(change(&BLOCK.replace('\n', "\r\n"), 80, 20).unwrap().matches("\r\n").count(), BLOCK.lines().count());
    }

    #[test]
    fn what_an_edit_of_bytes_would_not_mean_is_refused() {
        let wrong = |from: &str, to: &str| {
            assert!(BLOCK.contains(from), "{from}");
            places(&BLOCK.replacen(from, to, 1), "checkout").unwrap_err()
        };
        assert!(wrong("checkout:   #", "checkout: &all   #").contains("anchor"));
        assert!(wrong("weight: 100", "weight: *w").contains("anchor, alias"));
        assert!(wrong("weight: 100", "weight: 0100").contains("plain digits"));
        assert!(wrong("weight: 100", "weight: 1e2").contains("plain digits"));
        assert!(
            wrong("weight: 100", "weight: {{ env \"W\" }}").contains("no number")
                || wrong("weight: 100", "weight: '100'").contains("plain")
        );
        assert!(wrong("  services:\n    other", "  services:\n    <<: *x\n    other").contains("merges"));
        assert!(wrong("    other:", "    checkout:").contains("twice"));
        assert!(wrong("    other:", "\tother:").contains("tab"));
        assert!(wrong("http:\n", "a: b\n---\nhttp:\n").contains("document"));
        assert!(places(BLOCK, "nothing").unwrap_err().contains("no weighted service nothing"));
        assert!(places("", "checkout").is_err());
    }

    #[test]
    fn a_service_without_a_weight_of_its_own_is_said_so() {
        let places = places(&BLOCK.replace("            weight: 0\n", ""), "checkout").unwrap();
        assert_eq!(places[1].weight, None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(http: ?\n? *services: ?\n?)?[-a{}\\[\\]:,\"'# \n]{0,60}", cut in 0_usize..400) {
            let _ = places(&text, "a");
            for whole in [BLOCK, FLOW, MIXED] {
                let _ = places(whole.get(..cut).unwrap_or(whole), "checkout");
            }
        }
    }
}
