//! Watches the files of theme and keymap: a changed one is taken over at once, a broken one is told of and leaves the old one.

use std::fs::metadata;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;

use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::Handle;
use crate::model::catalog::Room;
use crate::model::text::Text;
use crate::serve::local::Redressed;
use crate::ui::dress::dress;

/// How often the files are looked at, as those of the configuration are.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The names of theme and keymap: those of the flags go before those of the room.
pub fn names<'a>(room: &'a Room, flags: &'a Flags) -> (&'a str, &'a str) {
    (flags.theme.as_deref().unwrap_or(&room.theme), flags.keymap.as_deref().unwrap_or(&room.keymap))
}

/// What shows that a file is another one now.
type Mark = Option<(Option<SystemTime>, u64)>;

fn mark(path: &Path) -> Mark {
    metadata(path).ok().map(|data| (data.modified().ok(), data.len()))
}

/// Looks every other second whether other names are configured or a named file changed, and loads both when it did.
pub fn watch(around: &Surroundings, flags: &Flags, handle: &Handle) -> mpsc::Receiver<Redressed> {
    let (tell, told) = mpsc::channel(1);
    let (around, flags, handle) = (around.clone(), flags.clone(), handle.clone());
    let directory = around.config_dir.clone();
    let look = move || -> (String, String, [Mark; 2]) {
        let world = handle.world();
        let (theme, keymap) = names(&world.catalog.room, &flags);
        let files = [("themes", theme), ("keymaps", keymap)].map(|(kind, name)| directory.join(kind).join(format!("{name}.toml")));
        (theme.to_owned(), keymap.to_owned(), files.each_ref().map(|file| mark(file)))
    };
    tokio::spawn(async move {
        let mut before = look();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let after = look();
            if after == before {
                continue;
            }
            before = after;
            let (theme, keymap, _) = &before;
            let said = dress(theme, keymap, &around).map_err(|wrong| {
                let wrong = wrong.to_string().replace('\n', " \u{b7} ");
                Text::clean(&format!("the looks stay as they are: {wrong}"))
            });
            if tell.send(said).await.is_err() {
                return;
            }
        }
    });
    told
}
