//! How roles look: colours by meaning, glyphs with a form without Unicode, never colour alone.

use ratatui::style::{Color, Modifier, Style};

use crate::config::theme as file;
use crate::control::standing::Standing;

/// What a piece of text means; a theme says how that looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    pub const ALL: [Self; 12] = [
        Self::Plain,
        Self::Quiet,
        Self::Strong,
        Self::Rule,
        Self::Abnormal,
        Self::Watched,
        Self::Waits,
        Self::Moving,
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
    /// Two versions share the traffic.
    Split,
    /// The row that the cursor is on.
    Cursor,
    /// A horizontal rule.
    Rule,
    /// A vertical line.
    Bar,
    /// What was cut.
    Cut,
    /// Nothing to say.
    None,
}

impl Mark {
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
            Self::Split => ("◫", "%"),
            Self::Cursor => ("▌", "*"),
            Self::Rule => ("─", "-"),
            Self::Bar => ("│", "|"),
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
        Standing::Split => (Mark::Split, Role::Plain),
        Standing::Quiet => (Mark::None, Role::Plain),
    }
}

/// How the room looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// Whether glyphs beyond ASCII are drawn.
    pub unicode: bool,
    plain: Style,
    quiet: Style,
    strong: Style,
    rule: Style,
    abnormal: Style,
    watched: Style,
    waits: Style,
    moving: Style,
    key: Style,
    field: Style,
    caret: Style,
    banner: Style,
}

impl Theme {
    /// The theme without any colour: weight, underline and reverse only.
    pub fn monochrome() -> Self {
        let (none, bold, dim) = (Style::new(), Style::new().add_modifier(Modifier::BOLD), Style::new().add_modifier(Modifier::DIM));
        Self {
            name: "monochrome".to_owned(),
            unicode: true,
            plain: none,
            quiet: dim,
            strong: bold,
            rule: dim,
            abnormal: bold.add_modifier(Modifier::UNDERLINED),
            watched: Style::new().add_modifier(Modifier::UNDERLINED),
            waits: bold,
            moving: none,
            key: bold,
            field: Style::new().add_modifier(Modifier::UNDERLINED),
            caret: Style::new().add_modifier(Modifier::REVERSED),
            banner: bold.add_modifier(Modifier::REVERSED),
        }
    }

    /// The theme of the room unless another is configured: grey on the terminal's own ground.
    pub fn standard() -> Self {
        let colour = |index| Style::new().fg(Color::Indexed(index));
        Self {
            name: "default".to_owned(),
            plain: Style::new(),
            quiet: colour(245),
            rule: colour(240),
            abnormal: colour(203).add_modifier(Modifier::BOLD),
            watched: colour(214),
            waits: colour(75),
            moving: colour(80),
            ..Self::monochrome()
        }
    }

    /// The default theme without a character beyond ASCII.
    pub fn ascii() -> Self {
        Self { name: "ascii".to_owned(), unicode: false, ..Self::standard() }
    }

    /// A built-in theme by its name.
    pub fn builtin(name: &str) -> Option<Self> {
        [Self::standard(), Self::monochrome(), Self::ascii()].into_iter().find(|theme| theme.name == name)
    }

    /// How a role looks.
    pub fn style(&self, role: Role) -> Style {
        match role {
            Role::Plain => self.plain,
            Role::Quiet => self.quiet,
            Role::Strong => self.strong,
            Role::Rule => self.rule,
            Role::Abnormal => self.abnormal,
            Role::Watched => self.watched,
            Role::Waits => self.waits,
            Role::Moving => self.moving,
            Role::Key => self.key,
            Role::Field => self.field,
            Role::Caret => self.caret,
            Role::Banner => self.banner,
        }
    }

    /// Says how a role looks from now on.
    #[must_use]
    pub fn with(mut self, role: Role, style: Style) -> Self {
        let place = match role {
            Role::Plain => &mut self.plain,
            Role::Quiet => &mut self.quiet,
            Role::Strong => &mut self.strong,
            Role::Rule => &mut self.rule,
            Role::Abnormal => &mut self.abnormal,
            Role::Watched => &mut self.watched,
            Role::Waits => &mut self.waits,
            Role::Moving => &mut self.moving,
            Role::Key => &mut self.key,
            Role::Field => &mut self.field,
            Role::Caret => &mut self.caret,
            Role::Banner => &mut self.banner,
        };
        *place = style;
        self
    }

    /// The glyph of a mark.
    pub fn glyph(&self, mark: Mark) -> &'static str {
        let (unicode, ascii) = mark.glyphs();
        if self.unicode { unicode } else { ascii }
    }
}

/// A theme file's styles.
impl From<&file::Theme> for Theme {
    fn from(file: &file::Theme) -> Self {
        let roles = [
            (Role::Plain, file::Role::Normal),
            (Role::Quiet, file::Role::Dim),
            (Role::Strong, file::Role::Title),
            (Role::Rule, file::Role::Line),
            (Role::Abnormal, file::Role::Abnormal),
            (Role::Watched, file::Role::Watched),
            (Role::Waits, file::Role::Waits),
            (Role::Moving, file::Role::Moving),
            (Role::Key, file::Role::Key),
            (Role::Field, file::Role::Input),
            (Role::Caret, file::Role::Cursor),
            (Role::Banner, file::Role::Banner),
        ];
        let bare = Self { name: file.name.clone(), unicode: file.glyphs == file::Glyphs::Unicode, ..Self::monochrome() };
        roles.into_iter().fold(bare, |theme, (role, of)| theme.with(role, style(file.style(of))))
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
        for mark in [
            Mark::Abnormal,
            Mark::Waits,
            Mark::Moving,
            Mark::Held,
            Mark::Proven,
            Mark::Failed,
            Mark::Back,
            Mark::Unknown,
            Mark::Split,
            Mark::Cursor,
            Mark::Rule,
            Mark::Bar,
            Mark::Cut,
            Mark::None,
        ] {
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
}
