//! How roles look: colours by meaning, glyphs with a form without Unicode, never colour alone.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};

use crate::config::theme::{self as file, Charts};
use crate::control::standing::Standing;

use super::colours::{self, Depth};
use super::limits::Limits;

/// What a piece of text means; a theme says how that looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Normal.
    Plain,
    /// Less than normal: labels, what is stale.
    Quiet,
    /// A heading, a target, a figure that decides.
    Strong,
    /// The rules between sections.
    Rule,
    /// Abnormal and yours.
    Abnormal,
    /// Abnormal and watched.
    Watched,
    /// Waits for a person.
    Waits,
    /// Moving.
    Moving,
    /// A value that is too old, or not known.
    Stale,
    /// A key that can be pressed.
    Key,
    /// The place where text is entered.
    Field,
    /// The cell of the text cursor.
    Caret,
    /// SIMULATED, READ ONLY.
    Banner,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 13] = [
        Self::Plain,
        Self::Quiet,
        Self::Strong,
        Self::Rule,
        Self::Abnormal,
        Self::Watched,
        Self::Waits,
        Self::Moving,
        Self::Stale,
        Self::Key,
        Self::Field,
        Self::Caret,
        Self::Banner,
    ];
}

/// A glyph with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Abnormal.
    Abnormal,
    /// Waits for a person.
    Waits,
    /// Moving.
    Moving,
    /// Held.
    Held,
    /// Proven, holds.
    Proven,
    /// Failed.
    Failed,
    /// Went back.
    Back,
    /// Unknown or stale.
    Unknown,
    /// The row that the cursor is on.
    Cursor,
    /// A horizontal rule.
    Rule,
    /// A vertical line.
    Bar,
    /// An open window on a calendar.
    Open,
    /// A window that is open for a part of the time.
    Partly,
    /// A freeze on a calendar.
    Frozen,
    /// The beginning of a day on a calendar.
    Day,
    /// What was cut.
    Cut,
    /// Nothing to say.
    None,
}

impl Mark {
    /// Every mark.
    pub const ALL: [Self; 17] = [
        Self::Abnormal,
        Self::Waits,
        Self::Moving,
        Self::Held,
        Self::Proven,
        Self::Failed,
        Self::Back,
        Self::Unknown,
        Self::Cursor,
        Self::Rule,
        Self::Bar,
        Self::Open,
        Self::Partly,
        Self::Frozen,
        Self::Day,
        Self::Cut,
        Self::None,
    ];

    /// The glyph with and without Unicode; each is one cell wide.
    pub const fn glyphs(self) -> (&'static str, &'static str) {
        match self {
            Self::Abnormal => ("▲", "!"),
            Self::Waits => ("◆", "?"),
            Self::Moving => ("▸", ">"),
            Self::Held => ("‖", "="),
            Self::Proven => ("✓", "+"),
            Self::Failed => ("✗", "x"),
            Self::Back => ("↩", "<"),
            Self::Unknown => ("◌", "~"),
            Self::Cursor => ("▌", "*"),
            Self::Rule => ("─", "-"),
            Self::Bar => ("│", "|"),
            Self::Open => ("━", "="),
            Self::Partly => ("╌", "-"),
            Self::Frozen => ("▒", "#"),
            Self::Day => ("·", "."),
            Self::Cut => ("…", "~"),
            Self::None => (" ", " "),
        }
    }
}

/// The mark and role of a standing.
pub fn of_standing(standing: Standing) -> (Mark, Role) {
    match standing {
        Standing::Abnormal => (Mark::Abnormal, Role::Abnormal),
        Standing::Failed => (Mark::Failed, Role::Abnormal),
        Standing::Waiting => (Mark::Waits, Role::Waits),
        Standing::Unknown => (Mark::Unknown, Role::Quiet),
        Standing::Held => (Mark::Held, Role::Waits),
        Standing::Moving => (Mark::Moving, Role::Moving),
        Standing::Split => (Mark::Moving, Role::Plain),
        Standing::Quiet => (Mark::None, Role::Plain),
    }
}

/// How the room looks: what a theme's file says. A theme of no file has no styles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// Whether glyphs beyond ASCII are drawn.
    pub unicode: bool,
    charts: Charts,
    styles: BTreeMap<Role, Style>,
}

impl Theme {
    /// The built-in theme without any colour: weight, underline and reverse only.
    pub fn monochrome() -> Self {
        Self::builtin("monochrome").unwrap_or_else(Self::bare)
    }

    /// The theme of the room unless another is configured: grey on the terminal's own ground.
    pub fn standard() -> Self {
        Self::builtin("default").unwrap_or_else(Self::bare)
    }

    /// The default theme without a character beyond ASCII.
    pub fn ascii() -> Self {
        Self::builtin("ascii").unwrap_or_else(Self::bare)
    }

    /// The names of the embedded themes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        file::BUILT_IN.into_iter().map(|(name, _)| name)
    }

    /// The theme of an embedded file.
    pub fn builtin(name: &str) -> Option<Self> {
        file::built_in(name).map(|theme| Self::from(&theme))
    }

    fn bare() -> Self {
        Self::from(&file::Theme::default())
    }

    /// The same within what a terminal can show. Without colours its states are told apart as those of `monochrome` are.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        let unicode = self.unicode && limits.unicode;
        if limits.depth == Depth::None {
            return Self { styles: Self::monochrome().styles, unicode, ..self };
        }
        let kept = |colour: Option<Color>| colour.and_then(|colour| colours::within(colour, limits.depth));
        let styles = self.styles.into_iter().map(|(role, style)| (role, Style { fg: kept(style.fg), bg: kept(style.bg), ..style }));
        Self { styles: styles.collect(), unicode, ..self }
    }

    /// The ground on which everything stands, and its ink, where the theme brings its own.
    pub fn ground(&self) -> Option<(Color, Color)> {
        let Style { fg, bg, .. } = self.style(Role::Plain);
        Some((fg?, bg?))
    }

    /// How a role looks.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }

    /// What charts are drawn with; without Unicode nothing but plain characters can be.
    pub fn charts(&self) -> Charts {
        if self.unicode { self.charts } else { Charts::Ascii }
    }

    /// The glyph of a mark.
    pub fn glyph(&self, mark: Mark) -> &'static str {
        let (unicode, ascii) = mark.glyphs();
        if self.unicode { unicode } else { ascii }
    }
}

impl Role {
    /// The word of theme files whose style it takes.
    const fn of_file(self) -> file::Role {
        match self {
            Self::Plain => file::Role::Normal,
            Self::Quiet => file::Role::Dim,
            Self::Strong => file::Role::Title,
            Self::Rule => file::Role::Line,
            Self::Abnormal => file::Role::Abnormal,
            Self::Watched => file::Role::Watched,
            Self::Waits => file::Role::Waits,
            Self::Moving => file::Role::Moving,
            Self::Stale => file::Role::Stale,
            Self::Key => file::Role::Key,
            Self::Field => file::Role::Input,
            Self::Caret => file::Role::Cursor,
            Self::Banner => file::Role::Banner,
        }
    }
}

/// A theme file's styles.
impl From<&file::Theme> for Theme {
    fn from(file: &file::Theme) -> Self {
        let styles = Role::ALL.into_iter().map(|role| (role, style(file.style(role.of_file())))).collect();
        Self { name: file.name.clone(), unicode: file.glyphs == file::Glyphs::Unicode, charts: file.charts, styles }
    }
}

fn style(of: file::Style) -> Style {
    let colour = |colour| match colour {
        file::Colour::Default => None,
        file::Colour::Indexed(n) => Some(Color::Indexed(n)),
        file::Colour::Rgb(red, green, blue) => Some(Color::Rgb(red, green, blue)),
    };
    let mut style = Style { fg: colour(of.foreground), bg: colour(of.background), ..Style::new() };
    for (on, modifier) in
        [(of.bold, Modifier::BOLD), (of.dim, Modifier::DIM), (of.reversed, Modifier::REVERSED), (of.underlined, Modifier::UNDERLINED)]
    {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    style
}

impl Default for Theme {
    fn default() -> Self {
        Self::standard()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn every_glyph_is_one_cell_and_has_an_ascii_form() {
        for mark in Mark::ALL {
            let (unicode, ascii) = mark.glyphs();
            assert_eq!((unicode.width(), ascii.width(), ascii.is_ascii()), (1, 1, true), "{mark:?}");
        }
    }

    #[test]
    fn monochrome_has_no_colour() {
        for role in Role::ALL {
            let style = Theme::monochrome().style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
    }

    #[test]
    fn every_role_of_theme_files_is_drawn_by_one_role() {
        for of in file::Role::ALL {
            assert_eq!(Role::ALL.into_iter().filter(|role| role.of_file() == of).count(), 1, "{of:?}");
        }
    }

    #[test]
    fn the_looks_are_those_of_the_files() {
        assert_eq!(Theme::standard().style(Role::Abnormal), Style::new().fg(Color::Indexed(203)).add_modifier(Modifier::BOLD));
        assert_eq!(Theme::monochrome().style(Role::Abnormal), Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED));
        assert_eq!(Theme::ascii().style(Role::Waits), Theme::standard().style(Role::Waits));
        assert_eq!([Theme::standard(), Theme::monochrome(), Theme::ascii()].map(|theme| theme.unicode), [true, true, false]);
        assert_eq!(Theme::builtin("neon"), None);
    }
}
