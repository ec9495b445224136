//! How keys are written in keymap files: chords, and sequences of them.

/// Keys that have a name instead of a character.
const NAMED_KEYS: &[&str] = &[
    "enter",
    "esc",
    "tab",
    "backtab",
    "space",
    "backspace",
    "delete",
    "insert",
    "up",
    "down",
    "left",
    "right",
    "home",
    "end",
    "pageup",
    "pagedown",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "f6",
    "f7",
    "f8",
    "f9",
    "f10",
    "f11",
    "f12",
];

/// The normal form of the keys of a binding: one chord, or a sequence of them parted by single spaces, such as `g g`. None when
/// they are no keys.
pub fn keys(text: &str) -> Option<String> {
    chord(text).or_else(|| Some(text.split(' ').map(chord).collect::<Option<Vec<_>>>()?.join(" ")))
}

/// Whether keys in normal form begin with others and go on after them.
pub fn goes_on(keys: &str, beginning: &str) -> bool {
    keys.strip_prefix(beginning).is_some_and(|rest| rest.starts_with(' '))
}

/// The normal form of a chord: `j`, `A`, `ctrl-d`, `alt-x`, `enter`, `f1`. None when it is no chord.
///
/// Modifiers come as `ctrl-`, then `alt-`; a letter with `ctrl-` is lower case; `shift-` is the upper-case letter itself,
/// and `shift-tab` is `backtab`.
pub fn chord(text: &str) -> Option<String> {
    let mut rest = text;
    let (mut ctrl, mut alt, mut shift) = (false, false, false);
    while let Some((modifier, behind)) = rest.split_once('-').filter(|(_, behind)| !behind.is_empty()) {
        let flag = match modifier.to_ascii_lowercase().as_str() {
            "ctrl" => &mut ctrl,
            "alt" => &mut alt,
            "shift" => &mut shift,
            _ => return None,
        };
        if *flag {
            return None;
        }
        *flag = true;
        rest = behind;
    }
    let mut characters = rest.chars();
    let key = match (characters.next(), characters.next()) {
        (None, _) => return None,
        (Some(c), None) if shift && c.is_ascii_alphabetic() && !ctrl => c.to_ascii_uppercase().to_string(),
        (Some(_), None) if shift => return None,
        (Some(' '), None) => "space".to_owned(),
        (Some(c), None) if ctrl => c.to_ascii_lowercase().to_string(),
        (Some(c), None) if c.is_control() => return None,
        (Some(c), None) => c.to_string(),
        (Some(_), Some(_)) => {
            let name = rest.to_ascii_lowercase();
            if !NAMED_KEYS.contains(&name.as_str()) {
                return None;
            }
            match (shift, name.as_str()) {
                (true, "tab") => "backtab".to_owned(),
                (true, _) => return None,
                (false, _) => name,
            }
        }
    };
    Some(format!("{}{}{key}", if ctrl { "ctrl-" } else { "" }, if alt { "alt-" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("j", "j")]
    #[case("A", "A")]
    #[case("Ctrl-D", "ctrl-d")]
    #[case("alt-ctrl-x", "ctrl-alt-x")]
    #[case("shift-a", "A")]
    #[case("shift-tab", "backtab")]
    #[case("Enter", "enter")]
    #[case("F12", "f12")]
    #[case("-", "-")]
    #[case("ctrl--", "ctrl--")]
    #[case(" ", "space")]
    fn a_chord_has_one_normal_form(#[case] written: &str, #[case] normal: &str) {
        assert_eq!(chord(written).as_deref(), Some(normal));
        assert_eq!(chord(normal).as_deref(), Some(normal));
    }

    #[rstest]
    #[case("")]
    #[case("jj")]
    #[case("hyper-x")]
    #[case("ctrl-ctrl-x")]
    #[case("shift-enter")]
    #[case("f13")]
    #[case("\u{1b}")]
    fn what_is_no_chord(#[case] written: &str) {
        assert_eq!(chord(written), None);
    }

    #[rstest]
    #[case("g g", "g g")]
    #[case("Ctrl-X Shift-K", "ctrl-x K")]
    #[case("space Space", "space space")]
    #[case("ctrl-x alt-- Enter", "ctrl-x alt-- enter")]
    #[case("j", "j")]
    #[case(" ", "space")]
    #[case("ctrl- ", "ctrl-space")]
    fn a_sequence_is_chords_between_single_spaces(#[case] written: &str, #[case] normal: &str) {
        assert_eq!(keys(written).as_deref(), Some(normal));
        assert_eq!(keys(normal).as_deref(), Some(normal));
    }

    #[rstest]
    #[case("g  g")]
    #[case("g g ")]
    #[case(" g")]
    #[case("g\tg")]
    #[case("gg")]
    #[case("  ")]
    #[case("g gg")]
    fn what_is_no_sequence(#[case] written: &str) {
        assert_eq!(keys(written), None);
    }

    #[test]
    fn a_sequence_goes_on_after_whole_chords_alone() {
        assert!(goes_on("g g", "g") && goes_on("g g x", "g g"));
        assert!(!goes_on("g g", "g g") && !goes_on("g", "g g") && !goes_on("end x", "e") && !goes_on("ctrl-- x", "ctrl-"));
    }
}
