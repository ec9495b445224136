//! The grammar of everything that the room writes to a terminal: printable text, a few sequences with a few numbers, and nothing else.

/// What may be written beside pictures, where it is configured or was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Also {
    /// Links (OSC 8), to addresses that begin so.
    pub links: Option<&'static str>,
    /// The bell, notices (OSC 9) and the window's title (OSC 2), which begin with these words.
    pub calls: Option<&'static str>,
    /// The clipboard (OSC 52).
    pub copies: bool,
    /// The mouse: presses and the wheel (1000), said in numbers (1006).
    pub mouse: bool,
}

/// What was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Characters that are seen.
    pub printed: usize,
    /// Sequences that begin with `ESC [`.
    pub sequences: usize,
    /// Links that lead somewhere.
    pub links: usize,
    /// Titles and notices.
    pub calls: usize,
}

/// Reads all that was written by the grammar.
///
/// # Errors
/// The first thing that does not belong to it, where it stands, and what stands around it.
pub fn read(bytes: &[u8], also: Also) -> Result<Read, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("no UTF-8 at byte {}", error.valid_up_to()))?;
    let mut found = Read::default();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\u{1b}' => sequence(rest, also, &mut found),
            '\r' | '\n' => Some(1),
            '\u{7}' => also.calls.map(|_| 1),
            seen if !is_hidden(seen) => {
                found.printed += 1;
                Some(seen.len_utf8())
            }
            _ => None,
        };
        let Some(after) = taken.and_then(|taken| rest.get(taken..)) else {
            let at = text.len() - rest.len();
            let before: String = text[..at].chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect();
            let here: String = rest.chars().take(40).collect();
            return Err(format!("not in the grammar at byte {at}: {here:?}, after {before:?}"));
        };
        rest = after;
    }
    Ok(found)
}

/// How long the sequence at the beginning is; none when the room writes no such one.
fn sequence(text: &str, also: Also, found: &mut Read) -> Option<usize> {
    if let Some(body) = text.strip_prefix("\u{1b}[") {
        let length = body.find(|c: char| !matches!(c, '0'..='9' | ';' | '?'))?;
        let last = body[length..].chars().next()?;
        found.sequences += 1;
        return is_known(&body[..length], last, also).then_some(2 + length + last.len_utf8());
    }
    let body = text.strip_prefix("\u{1b}]")?;
    // It is ended as ECMA-48 has it, by ST and not by the bell.
    let length = body.find('\u{1b}').filter(|length| body[*length..].starts_with("\u{1b}\\"))?;
    let said = &body[..length];
    if !said.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        return None;
    }
    let (kind, rest) = said.split_once(';')?;
    let known = match kind {
        "8" => {
            let (id, address) = rest.split_once(';')?;
            let closes = id.is_empty() && address.is_empty();
            found.links += usize::from(!closes);
            let leads = id.starts_with("id=") && also.links.is_some_and(|host| address.starts_with(host)) && !address.contains(' ');
            also.links.is_some() && (closes || leads)
        }
        "9" | "2" => {
            found.calls += 1;
            also.calls.is_some_and(|words| rest.starts_with(words))
        }
        "52" => {
            also.copies
                && rest.strip_prefix("c;").is_some_and(|base64| base64.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)))
        }
        _ => false,
    };
    known.then_some(2 + length + 2)
}

/// Whether the room writes a sequence of these numbers and this end.
fn is_known(numbers: &str, last: char, also: Also) -> bool {
    let list: Vec<&str> = if numbers.is_empty() { Vec::new() } else { numbers.split(';').collect() };
    let number = |text: &&str| text.parse::<u16>().is_ok_and(|number| (1..=10_000).contains(&number));
    match last {
        'm' => is_look(&list),
        'H' | 'r' => list.len() <= 2 && list.iter().all(number),
        'A' | 'B' | 'C' | 'L' | 'M' => list.len() <= 1 && list.iter().all(number),
        'K' => numbers.is_empty(),
        'J' => numbers == "2",
        'n' => matches!(numbers, "5" | "6"),
        'h' | 'l' => matches!(numbers, "?1049" | "?25" | "?2004" | "?2026") || (also.mouse && matches!(numbers, "?1000" | "?1006")),
        't' => also.calls.is_some() && matches!(numbers, "22;2" | "23;2"),
        _ => false,
    }
}

/// Whether these numbers say how text looks.
fn is_look(list: &[&str]) -> bool {
    let byte = |text: &&str| text.parse::<u8>().is_ok();
    match list {
        [] => true,
        ["38" | "48", "5", index, rest @ ..] => byte(index) && is_look(rest),
        ["38" | "48", "2", red, green, blue, rest @ ..] => [red, green, blue].into_iter().all(byte) && is_look(rest),
        [one, rest @ ..] => {
            let plain = matches!(one.parse::<u8>(), Ok(0..=4 | 7 | 9 | 30..=37 | 39..=47 | 49 | 90..=97 | 100..=107));
            plain && is_look(rest)
        }
    }
}

/// Whether a character moves, hides or reorders others without showing itself, or is one that terminals obey.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::{Also, read};

    #[test]
    fn what_the_room_writes_is_read() {
        let found = read(
            "\u{1b}[?1049h\u{1b}[0m\u{1b}[2J\u{1b}[3;10H\u{1b}[1;38;5;203m▲ checkout\u{1b}[K\r\n\u{1b}[5n".as_bytes(),
            Also::default(),
        );
        assert_eq!(found.map(|found| (found.printed, found.sequences)), Ok((10, 7)));
        let also = Also { links: Some("http://"), calls: Some("gonogo"), copies: true, mouse: false };
        let text = "\u{1b}]8;id=1f;http://there\u{1b}\\there\u{1b}]8;;\u{1b}\\\u{1b}]9;gonogo shop: 1 needs you\u{1b}\\\u{1b}]52;c;YWJj\u{1b}\\\u{7}";
        assert_eq!(read(text.as_bytes(), also).map(|found| (found.links, found.calls)), Ok((1, 1)));
        assert!(read(text.as_bytes(), Also::default()).is_err());
        let taken_and_given_back = "\u{1b}[?1000h\u{1b}[?1006h\u{1b}[?1006l\u{1b}[?1000l";
        assert!(read(taken_and_given_back.as_bytes(), Also { mouse: true, ..Also::default() }).is_ok());
    }

    #[test]
    fn what_it_does_not_write_is_told() {
        let hostile = [
            "\u{1b}]0;owned\u{7}",
            "\u{7}",
            "\u{9b}31m",
            "\u{202e}",
            "\u{200b}",
            "\u{1b}[3J",
            "\u{1b}[?1000h",
            "\u{1b}[8m",
            "\u{1b}[>1u",
            "\u{1b}c",
            "\u{1b}P1$r\u{1b}\\",
            "\u{1b}[99999;1H",
            "\u{8}",
            "\t",
            "\u{1b}[22;2t",
            "\u{1b}]8;;http://there\u{1b}\\",
            "\u{1b}[0c",
            "\u{7f}",
            "\u{1b}[1",
        ];
        for text in hostile {
            assert!(read(format!("before{text}after").as_bytes(), Also::default()).is_err(), "{text:?}");
        }
        assert!(read(b"\xff", Also::default()).is_err());
        let calls = Also { calls: Some("gonogo"), copies: true, ..Also::default() };
        for text in ["\u{1b}]2;gonogo shop\u{7}", "\u{1b}]9;gonogo shop\u{7}", "\u{1b}]52;c;YWJj\u{7}", "\u{1b}]2;gonogo shop\u{1b}"] {
            assert!(read(text.as_bytes(), calls).is_err(), "{text:?}");
        }
        for text in ["\u{1b}[?1002h", "\u{1b}[?1003h", "\u{1b}[?1000;1006h", "\u{1b}[1000h"] {
            assert!(read(text.as_bytes(), Also { mouse: true, ..Also::default() }).is_err(), "{text:?}");
        }
        let elsewhere = "\u{1b}]8;id=1;javascript:x\u{1b}\\";
        assert!(read(elsewhere.as_bytes(), Also { links: Some("http://"), ..Also::default() }).is_err());
    }
}
