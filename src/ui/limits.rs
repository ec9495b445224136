//! What this terminal can show, as its environment says it: how many colours, and whether anything beyond ASCII.

use crate::config::Surroundings;

use super::colours::Depth;

/// What a theme is kept within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many colours there are.
    pub depth: Depth,
    /// Whether glyphs beyond ASCII can be drawn.
    pub unicode: bool,
}

/// Whatever a theme says.
impl Default for Limits {
    fn default() -> Self {
        Self { depth: Depth::True, unicode: true }
    }
}

impl Limits {
    /// By `NO_COLOR`, `COLORTERM` and `TERM`, and by the locale: the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set.
    pub fn of(around: &Surroundings) -> Self {
        let term = around.variable("TERM").unwrap_or_default();
        let many = around.variable("COLORTERM").is_some_and(|says| matches!(says, "truecolor" | "24bit")) || term.ends_with("-direct");
        let depth = if around.variable("NO_COLOR").is_some() {
            Depth::None
        } else if many {
            Depth::True
        } else if term.contains("256color") {
            Depth::Indexed
        } else {
            Depth::Sixteen
        };
        // Where no locale is set it is not known: there the glyphs that are probed at start decide.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| around.variable(name));
        let unicode = locale.is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        Self { depth, unicode }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[("TERM", "xterm-256color")], Depth::Indexed, true)]
    #[case(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Depth::True, true)]
    #[case(&[("TERM", "tmux-direct")], Depth::True, true)]
    #[case(&[("TERM", "linux")], Depth::Sixteen, true)]
    #[case(&[("TERM", "xterm"), ("COLORTERM", "yes")], Depth::Sixteen, true)]
    #[case(&[("TERM", "xterm-256color"), ("COLORTERM", "24bit"), ("NO_COLOR", "1")], Depth::None, true)]
    #[case(&[("TERM", "xterm-256color"), ("NO_COLOR", "")], Depth::Indexed, true)]
    #[case(&[("TERM", "xterm-256color"), ("LANG", "C")], Depth::Indexed, false)]
    #[case(&[("TERM", "xterm-256color"), ("LANG", "de_DE.ISO-8859-1")], Depth::Indexed, false)]
    #[case(&[("TERM", "xterm-256color"), ("LANG", "C"), ("LC_ALL", "en_US.utf8")], Depth::Indexed, true)]
    #[case(&[("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("LC_CTYPE", "POSIX")], Depth::Indexed, false)]
    fn the_environment_says_what_can_be_shown(#[case] env: &[(&str, &str)], #[case] depth: Depth, #[case] unicode: bool) {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(Limits::of(&Surroundings { env, ..Surroundings::default() }), Limits { depth, unicode });
    }
}
