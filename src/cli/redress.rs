//! Watches the files of theme and keymap: a changed one is taken over at once, a broken one is told of and leaves the old one.

use tokio::sync::mpsc;

use super::files::Files;
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::driver::Handle;
use crate::model::catalog::Room;
use crate::model::text::Text;
use crate::serve::local::Redressed;
use crate::ui::dress::dress;

/// The names of theme and keymap: those of the flags go before those of the room.
pub fn names<'a>(room: &'a Room, flags: &'a Flags) -> (&'a str, &'a str) {
    (flags.theme.as_deref().unwrap_or(&room.theme), flags.keymap.as_deref().unwrap_or(&room.keymap))
}

/// Waits until other names are configured or a named file changes, and loads both when one did.
pub fn watch(around: &Surroundings, flags: &Flags, handle: &Handle) -> mpsc::Receiver<Redressed> {
    let (tell, told) = mpsc::channel(1);
    let (around, flags, mut handle) = (around.clone(), flags.clone(), handle.clone());
    let directory = around.config_dir.clone();
    let named = move |handle: &Handle| {
        let world = handle.world();
        let (theme, keymap) = names(&world.catalog.room, &flags);
        (theme.to_owned(), keymap.to_owned())
    };
    let paths = move |(theme, keymap): &(String, String)| {
        [("themes", theme), ("keymaps", keymap)].map(|(kind, name)| directory.join(kind).join(format!("{name}.toml"))).to_vec()
    };
    let mut before = named(&handle);
    let mut files = Files::new(paths(&before));
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = files.changed() => {}
                alive = handle.changed() => {
                    if !alive {
                        return;
                    }
                    let now = named(&handle);
                    if now == before {
                        continue;
                    }
                    files.follow(paths(&now));
                    before = now;
                }
            }
            let (theme, keymap) = &before;
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
