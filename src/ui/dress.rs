//! Looks and keys by name: from a user's files, else from the embedded ones.

use crate::config::{Problems, Surroundings, keymap, theme};

use super::command;
use super::keymap::Keymap;
use super::theme::Theme;

/// Loads a theme and a keymap by their names.
///
/// # Errors
/// Everything that is wrong in either file, each with its place; nothing of them is taken over then.
pub fn dress(theme: &str, keymap: &str, around: &Surroundings) -> Result<(Theme, Keymap), Problems> {
    let theme = theme::load(theme, around).map(|file| Theme::from(&file));
    let keymap = keymap::load(keymap, around, &command::ids()).and_then(|file| Keymap::from_config(&file));
    match (theme, keymap) {
        (Ok(theme), Ok(keymap)) => Ok((theme, keymap)),
        (theme, keymap) => Err(Problems(theme.err().into_iter().chain(keymap.err()).flat_map(|Problems(wrong)| wrong).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::command::Command;
    use crate::ui::keymap::Meaning;
    use crate::ui::screen::Screen;
    use crate::ui::theme::Role;
    use ratatui::style::{Color, Style};

    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Surroundings) {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let around = Surroundings { config_dir: directory.path().to_owned(), ..Surroundings::default() };
        (directory, around)
    }

    #[test]
    fn the_built_in_names_are_those_of_the_files() {
        let (_kept, around) = machine(&[]);
        for name in ["default", "monochrome", "ascii"] {
            let (theme, keymap) = dress(name, "default", &around).unwrap();
            assert_eq!((Some(theme), keymap), (Theme::builtin(name), Keymap::default()));
        }
        assert_eq!(dress("default", "vim", &around).unwrap().1.name, "vim");
    }

    #[test]
    fn a_users_files_go_before() {
        let (_kept, around) = machine(&[
            ("themes/mine.toml", "base = \"ascii\"\n[roles]\nmoving = { foreground = \"green\" }\n"),
            ("keymaps/mine.toml", "base = \"default\"\n[ledger]\nverify = \"V\"\n"),
        ]);
        let (theme, keymap) = dress("mine", "mine", &around).unwrap();
        assert_eq!((theme.unicode, theme.style(Role::Moving)), (false, Style::new().fg(Color::Indexed(2))));
        assert_eq!(theme.style(Role::Abnormal), Theme::ascii().style(Role::Abnormal));
        assert_eq!(keymap.on(Screen::Ledger).meaning(&"V".parse().unwrap()), Meaning::Command(Command::Verify));
    }

    #[test]
    fn what_is_wrong_in_both_is_told_at_once() {
        let (_kept, around) = machine(&[
            ("themes/mine.toml", "glyphs = \"runes\"\n"),
            ("keymaps/mine.toml", "base = \"default\"\n[plan]\nrun = \"space\"\n"),
        ]);
        let wrong = dress("mine", "mine", &around).unwrap_err().to_string();
        assert!(wrong.contains("themes/mine.toml:1:10: `glyphs` is `runes`"), "{wrong}");
        assert!(wrong.contains("keymaps/mine.toml:3:7: `run` lies on `space`"), "{wrong}");
    }
}
