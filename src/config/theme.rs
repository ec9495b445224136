//! Themes: a style for each role on the glass, and the glyphs, from a file each.

use std::collections::BTreeMap;
use std::path::Path;

use super::file::Fields;
use super::names::names_in;
use super::nearest::instead;
use super::node::{self, Node, Value};
use super::problem::{Findings, Problems};
use super::surroundings::Surroundings;

/// Every built-in theme: its name and its file.
pub const BUILT_IN: [(&str, &str); 7] = [
    ("default", include_str!("../../themes/default.toml")),
    ("monochrome", include_str!("../../themes/monochrome.toml")),
    ("ascii", include_str!("../../themes/ascii.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../themes/colour-blind.toml")),
    ("sixteen", include_str!("../../themes/sixteen.toml")),
];

const KEYS: &[&str] = &["base", "glyphs", "charts", "roles"];
const STYLE: &[&str] = &["foreground", "background", "bold", "dim", "reversed", "underlined"];
const NAMED: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// The terminal's own.
    #[default]
    Default,
    /// One of the 256.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// What something on the glass is, for its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Anything without another role.
    Normal,
    /// Less than normal: units, ages, what you may not do.
    Dim,
    /// Line 1 and the titles of panes.
    Title,
    /// Lines between panes.
    Line,
    /// The cell of the text cursor.
    Cursor,
    /// A key in the key row.
    Key,
    /// Text that is being typed.
    Input,
    /// SIMULATED, DRILL, PAST.
    Banner,
    /// Abnormal and yours.
    Abnormal,
    /// Abnormal and watched.
    Watched,
    /// Waits for a person.
    Waits,
    /// Moving.
    Moving,
    /// Stale or unknown: the value's colour is gone, its text stays.
    Stale,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 13] = [
        Self::Normal,
        Self::Dim,
        Self::Title,
        Self::Line,
        Self::Cursor,
        Self::Key,
        Self::Input,
        Self::Banner,
        Self::Abnormal,
        Self::Watched,
        Self::Waits,
        Self::Moving,
        Self::Stale,
    ];

    /// The word in a theme's file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Dim => "dim",
            Self::Title => "title",
            Self::Line => "line",
            Self::Cursor => "cursor",
            Self::Key => "key",
            Self::Input => "input",
            Self::Banner => "banner",
            Self::Abnormal => "abnormal",
            Self::Watched => "watched",
            Self::Waits => "waits",
            Self::Moving => "moving",
            Self::Stale => "stale",
        }
    }
}

/// How a role looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// The colour of the ink.
    pub foreground: Colour,
    /// The colour behind it.
    pub background: Colour,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Ink and paper exchanged.
    pub reversed: bool,
    /// Underlined.
    pub underlined: bool,
}

/// Which signs the glass may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    /// The signs of SCREENS.md.
    Unicode,
    /// Their forms without Unicode.
    Ascii,
}

/// What charts are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charts {
    /// Braille patterns.
    Braille,
    /// Block characters.
    Block,
    /// Plain characters.
    Ascii,
}

/// A sign that goes with a colour, so that nothing is told by colour alone.
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
    /// Proven.
    Proven,
    /// Failed.
    Failed,
    /// Went back.
    Back,
    /// Unknown or stale.
    Unknown,
}

impl Glyphs {
    /// The sign of a mark, one cell wide.
    pub fn mark(self, mark: Mark) -> &'static str {
        let (unicode, ascii) = match mark {
            Mark::Abnormal => ("▲", "!"),
            Mark::Waits => ("◆", "?"),
            Mark::Moving => ("▸", ">"),
            Mark::Held => ("‖", "="),
            Mark::Proven => ("✓", "+"),
            Mark::Failed => ("✗", "x"),
            Mark::Back => ("↩", "<"),
            Mark::Unknown => ("◌", "~"),
        };
        match self {
            Self::Unicode => unicode,
            Self::Ascii => ascii,
        }
    }
}

/// A theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// The signs.
    pub glyphs: Glyphs,
    /// The charts.
    pub charts: Charts,
    styles: BTreeMap<Role, Style>,
}

/// No colour, no Unicode: what every terminal can show.
impl Default for Theme {
    fn default() -> Self {
        Self { name: "plain".to_owned(), glyphs: Glyphs::Ascii, charts: Charts::Ascii, styles: BTreeMap::new() }
    }
}

impl Theme {
    /// How a role looks; a role that the theme leaves out looks normal.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).or_else(|| self.styles.get(&Role::Normal)).copied().unwrap_or_default()
    }
}

/// The themes that there are: built-in ones, and `themes/NAME.toml` in the user's configuration directory.
pub fn names(around: &Surroundings) -> Vec<String> {
    names_in(&around.config_dir.join("themes"), &BUILT_IN.map(|(name, _)| name))
}

/// Loads a theme by name. The user's file of that name goes before the built-in one.
///
/// # Errors
/// When there is no such theme, and everything that is wrong in its file.
pub fn load(name: &str, around: &Surroundings) -> Result<Theme, Problems> {
    let mut found = Findings::default();
    let theme = theme(name, &around.config_dir.join("themes"), &mut found);
    let (problems, _) = found.into_parts();
    match theme {
        Some(theme) if problems.is_empty() => Ok(theme),
        Some(_) | None => Err(Problems(problems)),
    }
}

/// A built-in theme, whatever files the user has. Tests prove that each can be read.
pub fn built_in(name: &str) -> Option<Theme> {
    let mut found = Findings::default();
    let theme = theme(name, Path::new(""), &mut found)?;
    found.is_clean().then_some(theme)
}

fn theme(name: &str, directory: &Path, found: &mut Findings) -> Option<Theme> {
    let text = super::keymap::text_of(name, directory, "theme", &BUILT_IN, found)?;
    let (start, text) = text;
    let table = node::parse(&text, start, found)?;
    let fields = Fields::root(&table, start, KEYS, found);
    let mut theme = Theme { name: name.to_owned(), ..Theme::default() };
    if let Some(node) = fields.get("base") {
        let base = node.text("base", found)?;
        let built_in = BUILT_IN.map(|(name, _)| name);
        if !built_in.contains(&base) {
            found.problem(node.at, &format!("`{base}` is no theme to begin from"), &instead(base, built_in));
            return None;
        }
        // The directory is left out: a base is always the built-in one, and none of those is its own base.
        theme = Theme { name: name.to_owned(), ..self::theme(base, Path::new(""), found)? };
    }
    if let Some(word) = word(&fields, "glyphs", &["unicode", "ascii"], found) {
        theme.glyphs = if word == "ascii" { Glyphs::Ascii } else { Glyphs::Unicode };
    }
    if let Some(word) = word(&fields, "charts", &["braille", "block", "ascii"], found) {
        theme.charts = match word {
            "braille" => Charts::Braille,
            "block" => Charts::Block,
            _ => Charts::Ascii,
        };
    }
    for (key, node) in fields.table("roles", found) {
        let Some(role) = Role::ALL.into_iter().find(|role| role.word() == key.name) else {
            found.problem(key.at, &format!("no role is called `{}`", key.name), &instead(&key.name, Role::ALL.map(Role::word)));
            continue;
        };
        if let Some(style) = style(&key.name, node, found) {
            theme.styles.insert(role, style);
        }
    }
    Some(theme)
}

fn word<'a>(fields: &Fields<'a>, key: &str, words: &[&str], found: &mut Findings) -> Option<&'a str> {
    let node = fields.get(key)?;
    let word = node.text(key, found)?;
    if !words.contains(&word) {
        found.problem(node.at, &format!("`{key}` is `{word}`"), &instead(word, words.iter().copied()));
        return None;
    }
    Some(word)
}

fn style(role: &str, node: &Node, found: &mut Findings) -> Option<Style> {
    let what = format!("the role `{role}`");
    let fields = Fields::open(node, &what, STYLE, found)?;
    let flag = |key: &str, found: &mut Findings| fields.flag(key, found).unwrap_or(false);
    let colour = |key: &str, found: &mut Findings| fields.get(key).and_then(|node| colour(key, node, found)).unwrap_or_default();
    Some(Style {
        foreground: colour("foreground", found),
        background: colour("background", found),
        bold: flag("bold", found),
        dim: flag("dim", found),
        reversed: flag("reversed", found),
        underlined: flag("underlined", found),
    })
}

fn colour(key: &str, node: &Node, found: &mut Findings) -> Option<Colour> {
    let text = match &node.value {
        Value::Integer(_) => return node.count(key, 0, 255, found).and_then(|index| u8::try_from(index).ok()).map(Colour::Indexed),
        Value::Text(text) => text,
        Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => {
            found.problem(node.at, &format!("`{key}` is {}", node.value.kind()), "a colour: a name, 0 to 255, or \"#rrggbb\"");
            return None;
        }
    };
    if text == "default" {
        return Some(Colour::Default);
    }
    if let Some(index) = NAMED.iter().position(|name| name == text) {
        return u8::try_from(index).ok().map(Colour::Indexed);
    }
    if let Some(colour) = text.strip_prefix('#').filter(|digits| digits.len() == 6).and_then(rgb) {
        return Some(colour);
    }
    let right = super::nearest::nearest(text, NAMED)
        .map_or_else(|| "a name such as red, 0 to 255, or \"#rrggbb\"".to_owned(), |near| format!("`{near}`"));
    found.problem(node.at, &format!("`{text}` is no colour"), &right);
    None
}

fn rgb(digits: &str) -> Option<Colour> {
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some(Colour::Rgb(red, green, blue))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::fs;
    use unicode_width::UnicodeWidthStr as _;

    fn with(text: &str) -> Result<Theme, String> {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("themes")).expect("made");
        fs::write(directory.path().join("themes/own.toml"), text).expect("written");
        let around = Surroundings { config_dir: directory.path().to_owned(), ..Surroundings::default() };
        assert!(names(&around).contains(&"own".to_owned()));
        load("own", &around).map_err(|problems| problems.to_string().replace(&format!("{}/", directory.path().display()), ""))
    }

    fn built_in(name: &str) -> Theme {
        load(name, &Surroundings::default()).expect("right")
    }

    #[test]
    fn the_default_colours_only_what_is_not_normal() {
        let theme = built_in("default");
        let coloured = [Role::Abnormal, Role::Watched, Role::Waits, Role::Moving];
        for role in Role::ALL {
            let Style { foreground, background, .. } = theme.style(role);
            assert_eq!(background, Colour::Default);
            assert_eq!(!matches!(foreground, Colour::Default | Colour::Indexed(8 | 232..=255)), coloured.contains(&role), "{role:?}");
        }
        let distinct: std::collections::HashSet<_> = coloured.map(|role| format!("{:?}", theme.style(role).foreground)).into();
        assert_eq!(distinct.len(), 4);
        assert_eq!((theme.glyphs, theme.charts), (Glyphs::Unicode, Charts::Braille));
    }

    #[test]
    fn monochrome_has_no_colour_and_still_tells_the_four_apart() {
        let theme = built_in("monochrome");
        assert!(Role::ALL.iter().all(|role| theme.style(*role).foreground == Colour::Default));
        let looks: std::collections::HashSet<_> =
            [Role::Abnormal, Role::Watched, Role::Waits, Role::Moving].map(|role| format!("{:?}", theme.style(role))).into();
        assert_eq!(looks.len(), 4);
    }

    #[test]
    fn ascii_is_the_default_with_plain_signs() {
        let (ascii, default) = (built_in("ascii"), built_in("default"));
        assert_eq!((ascii.glyphs, ascii.charts), (Glyphs::Ascii, Charts::Ascii));
        assert!(Role::ALL.iter().all(|role| ascii.style(*role) == default.style(*role)));
    }

    #[test]
    fn every_sign_is_one_cell_wide() {
        let marks = [Mark::Abnormal, Mark::Waits, Mark::Moving, Mark::Held, Mark::Proven, Mark::Failed, Mark::Back, Mark::Unknown];
        for mark in marks {
            assert_eq!((Glyphs::Unicode.mark(mark).width(), Glyphs::Ascii.mark(mark).len()), (1, 1), "{mark:?}");
        }
    }

    #[test]
    fn a_theme_of_ones_own_names_colours_in_three_ways() {
        let theme = with(
            "base = \"monochrome\"\n[roles]\nabnormal = { foreground = \"red\", background = 7 }\nwaits = { foreground = \"#0a0bff\" }\n",
        );
        let theme = theme.expect("right");
        assert_eq!(theme.style(Role::Abnormal).foreground, Colour::Indexed(1));
        assert_eq!(theme.style(Role::Abnormal).background, Colour::Indexed(7));
        assert_eq!(theme.style(Role::Waits).foreground, Colour::Rgb(10, 11, 255));
        assert!(theme.style(Role::Title).bold);
        assert_eq!(theme.name, "own");
    }

    #[rstest]
    #[case("[roles]\nabnromal = {}\n", "2:1: no role is called `abnromal`; expected `abnormal`")]
    #[case(
        "[roles]\ndim = { foreground = \"gray\" }\n",
        "2:22: `gray` is no colour; expected a name such as red, 0 to 255, or \"#rrggbb\""
    )]
    #[case("[roles]\ndim = { foreground = 256 }\n", "2:22: `foreground` is 256; expected a whole number from 0 to 255")]
    #[case(
        "[roles]\ndim = { foreground = \"#ggéé\" }\n",
        "2:22: `#ggéé` is no colour; expected a name such as red, 0 to 255, or \"#rrggbb\""
    )]
    #[case("glyphs = \"unicod\"\n", "1:10: `glyphs` is `unicod`; expected `unicode`")]
    #[case("blink = true\n", "1:1: unknown key `blink` in the file; expected one of base, glyphs, charts, roles")]
    fn a_wrong_theme_is_refused_where_it_is_wrong(#[case] text: &str, #[case] problem: &str) {
        assert_eq!(with(text), Err(format!("themes/own.toml:{problem}")));
    }

    #[test]
    fn a_theme_that_begins_from_itself_is_refused() {
        assert!(with("base = \"own\"\n").is_err());
    }
}
