//! What this terminal can do, as far as its variables and its size say.

use serde_json::{Value, json};

use super::Finding;
use crate::config::surroundings::Surroundings;

/// The least size of the room.
const LEAST: (u16, u16) = (80, 24);

/// A terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// `TERM`.
    pub kind: Option<String>,
    /// How many colours it says it has.
    pub colours: &'static str,
    /// Columns and rows; none where the output is no terminal.
    pub size: Option<(u16, u16)>,
    /// The locale that decides over characters.
    pub locale: Option<String>,
    /// What stands between gonogo and the terminal itself.
    pub multiplexer: Option<&'static str>,
    /// Whether it is reached over SSH.
    pub ssh: bool,
}

impl Terminal {
    /// Reads the variables.
    pub fn of(around: &Surroundings, size: Option<(u16, u16)>) -> Self {
        let set = |name: &str| around.variable(name).is_some();
        let kind = around.variable("TERM").map(str::to_owned);
        let term = kind.as_deref().unwrap_or("dumb");
        let colours = if term == "dumb" {
            "no cursor and no colours"
        } else if set("NO_COLOR") {
            "no colours, as NO_COLOR asks"
        } else if matches!(around.variable("COLORTERM"), Some("truecolor" | "24bit")) {
            "16 million colours"
        } else if term.contains("256color") {
            "256 colours"
        } else {
            "16 colours"
        };
        let multiplexer = if set("TMUX") {
            Some("tmux")
        } else if set("STY") {
            Some("screen")
        } else if set("ZELLIJ") {
            Some("zellij")
        } else {
            None
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| around.variable(name)).map(str::to_owned);
        Self { colours, size, locale, multiplexer, ssh: set("SSH_CONNECTION") || set("SSH_TTY"), kind }
    }

    /// Whether its locale writes Unicode.
    pub fn is_unicode(&self) -> bool {
        let lower = self.locale.as_deref().unwrap_or_default().to_ascii_lowercase();
        lower.contains("utf-8") || lower.contains("utf8")
    }

    /// In one line.
    pub fn words(&self) -> String {
        let size = self.size.map_or_else(|| "the output is no terminal".to_owned(), |(columns, rows)| format!("{columns}x{rows}"));
        let mut words = vec![self.kind.clone().unwrap_or_else(|| "TERM is not set".to_owned()), size, self.colours.to_owned()];
        words.push(if self.is_unicode() { "Unicode".to_owned() } else { "no Unicode".to_owned() });
        words.extend(self.multiplexer.map(|name| format!("within {name}")));
        words.extend(self.ssh.then(|| "over SSH".to_owned()));
        words.join(", ")
    }

    /// What is to be mended about it.
    pub fn findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut say = |told: String, fix: &str| found.push(Finding::new("terminal", told, fix));
        if self.kind.as_deref().is_none_or(|kind| kind == "dumb") {
            say(
                "it cannot move its cursor, so that the room does not open".to_owned(),
                "set TERM to what the terminal is, such as xterm-256color",
            );
        }
        if let Some((columns, rows)) = self.size.filter(|(columns, rows)| *columns < LEAST.0 || *rows < LEAST.1) {
            say(
                format!("it is {columns}x{rows}, and the room needs {}x{}", LEAST.0, LEAST.1),
                "make the window larger, or its letters smaller",
            );
        }
        if !self.is_unicode() {
            let locale = self.locale.as_deref().unwrap_or("not set");
            say(
                format!("its locale is {locale}, so that glyphs may come out wrong"),
                "set LANG to one that ends in UTF-8, or use `--theme ascii`",
            );
        }
        let within = |kind: &str| kind.starts_with("tmux") || kind.starts_with("screen");
        if self.multiplexer == Some("tmux") && self.kind.as_deref().is_some_and(|kind| !within(kind)) {
            say(
                "TERM is not tmux's own, so that colours and keys may come out wrong".to_owned(),
                "write `set -g default-terminal tmux-256color` into tmux.conf",
            );
        }
        found
    }

    /// As JSON.
    pub fn object(&self) -> Value {
        json!({
            "term": self.kind,
            "colours": self.colours,
            "columns": self.size.map(|(columns, _)| columns),
            "rows": self.size.map(|(_, rows)| rows),
            "locale": self.locale,
            "unicode": self.is_unicode(),
            "multiplexer": self.multiplexer,
            "ssh": self.ssh,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(variables: &[(&str, &str)], size: Option<(u16, u16)>) -> Terminal {
        let env = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Terminal::of(&Surroundings { env, ..Surroundings::default() }, size)
    }

    fn told(terminal: &Terminal) -> String {
        terminal.findings().iter().map(|finding| format!("{}; do {}", finding.told, finding.fix)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_good_terminal_has_nothing_to_mend_and_is_told_in_one_line() {
        let good = terminal(
            &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "de_DE.UTF-8"), ("SSH_TTY", "/dev/pts/1")],
            Some((120, 40)),
        );
        assert_eq!(good.words(), "xterm-256color, 120x40, 16 million colours, Unicode, over SSH");
        assert_eq!(told(&good), "");
    }

    #[test]
    fn what_a_terminal_lacks_is_told_with_what_to_do() {
        let poor = terminal(&[("LANG", "C"), ("LC_ALL", "POSIX")], Some((79, 24)));
        let told = told(&poor);
        for words in ["cannot move its cursor", "79x24, and the room needs 80x24", "its locale is POSIX", "--theme ascii"] {
            assert!(told.contains(words), "{told}");
        }
    }

    #[test]
    fn within_tmux_the_terminal_is_tmux() {
        let wrong = terminal(&[("TERM", "xterm"), ("TMUX", "/tmp/t,1,0"), ("LANG", "C.UTF-8")], Some((80, 24)));
        assert!(told(&wrong).contains("set -g default-terminal"));
        assert!(wrong.words().contains("16 colours, Unicode, within tmux"));
        let right = terminal(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/t,1,0"), ("LANG", "C.UTF-8")], Some((80, 24)));
        assert_eq!(super::tests::told(&right), "");
    }
}
