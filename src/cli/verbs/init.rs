//! `gonogo init`: looks around, says what it found and what not, and writes a configuration; it changes nothing else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::adapters::clock::SystemClock;
use crate::adapters::looking;
use crate::cli::args::Init;
use crate::cli::exit::Exit;
use crate::cli::{json as shapes, out};
use crate::config::init::{Found, Places, Written, places, written};
use crate::config::load::load;
use crate::config::surroundings::{Flags, Surroundings};
use crate::model::text::Text;

/// Looks around and writes.
pub async fn run(around: &Surroundings, flags: &Flags, args: &Init) -> Exit {
    let target = Target::of(around, flags, args);
    if let Target::File { path, .. } = &target
        && !args.force
        && path.symlink_metadata().is_ok()
    {
        return taken(path);
    }
    let named = match args.at.iter().map(|at| places::named(at)).collect::<Result<Vec<_>, _>>() {
        Ok(named) => named,
        Err(why) => {
            // Read here and not with the command line, which would repeat the address in its error: it may hold a password.
            out::words(&format!("gonogo: `--at`: {why}"));
            return Exit::Usage;
        }
    };
    let places = Places::of(around, &named, args.only);
    let found = looking::look(&places, around, Arc::new(SystemClock)).await;
    let written = written(&found);
    let (file, next) = match &target {
        Target::Out => {
            if args.json {
                (None, None)
            } else {
                tell(&found, &written, &out::words);
                out::line(written.text.trim_end());
                return Exit::Done;
            }
        }
        Target::File { path, next } => {
            if !args.json {
                tell(&found, &written, &out::line);
            }
            if let Err(exit) = put(path, &written.text, around, args.force) {
                return exit;
            }
            (Some(path), Some(next.as_str()))
        }
    };
    if args.json {
        out::json(&object(&found, &written, file, next));
        return Exit::Done;
    }
    if let (Some(path), Some(next)) = (file, next) {
        let elsewhere = if written.backends.is_empty() {
            "; what is elsewhere is named with `--at KIND=ADDRESS`, and `gonogo demo` needs nothing"
        } else {
            ""
        };
        let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        out::line(&format!(
            "wrote {}: {}, {}, {} in comments\n  do: read it, then `{next}`{elsewhere}",
            path.display(),
            count(written.backends.len(), "backend", "backends"),
            count(written.services.len(), "service", "services"),
            count(written.suggested, "suggestion", "suggestions"),
        ));
    }
    Exit::Done
}

/// Where the configuration goes, and what comes after it.
enum Target {
    Out,
    File { path: PathBuf, next: String },
}

impl Target {
    fn of(around: &Surroundings, flags: &Flags, args: &Init) -> Self {
        let named = flags.config.clone().or_else(|| around.variable("GONOGO_CONFIG").map(PathBuf::from));
        let usual = named.clone().map_or_else(|| around.config_dir.join("gonogo.toml"), |file| around.working_dir.join(file));
        let given = args.out.as_ref().filter(|out| out.as_os_str() != "-");
        if args.out.is_some() && given.is_none() {
            return Self::Out;
        }
        let path = given.map_or_else(|| usual.clone(), |out| around.working_dir.join(out));
        let next = if path == usual && flags.config.is_none() {
            "gonogo doctor".to_owned()
        } else if named.is_none() && path == around.working_dir.join("gonogo.toml") {
            // What lies in a project may come from anybody, so it is trusted by who read it.
            "gonogo config trust gonogo.toml && gonogo doctor".to_owned()
        } else {
            format!("gonogo --config {} doctor", shown(given.map_or(path.as_path(), PathBuf::as_path)))
        };
        Self::File { path, next }
    }
}

/// A path as a shell takes it.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@%:=".contains(c));
    if plain { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn taken(path: &Path) -> Exit {
    out::words(&format!(
        "gonogo: {} is there already and stays as it is; `--out FILE` names another one, `--out -` only shows what would be written, `--force` replaces it",
        path.display()
    ));
    Exit::Usage
}

/// Puts the file into its place once it is one that `config check` accepts; a file that is there stays unless it is `forced` out.
fn put(path: &Path, text: &str, around: &Surroundings, forced: bool) -> Result<(), Exit> {
    let failed = |doing: &str, error: &io::Error| {
        out::words(&format!("gonogo: failed to {doing} {}: {error}; `--out FILE` names another place", path.display()));
        Exit::Failed
    };
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| failed("make the directory of", &error))?;
    let beside = Beside::make(path, text).map_err(|error| failed("write", &error))?;
    let flags = Flags { config: Some(beside.0.clone()), ..Flags::default() };
    if let Err(problems) = load(&around.clone(), &flags) {
        out::words(&format!("gonogo: what was found makes no right configuration, so nothing was written; `--out -` shows it. {problems}"));
        return Err(Exit::Failed);
    }
    let placed = if forced { fs::rename(&beside.0, path) } else { fs::hard_link(&beside.0, path) };
    match placed {
        Ok(()) => Ok(()),
        // Somebody else wrote it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken(path)),
        Err(error) => Err(failed("write", &error)),
    }
}

/// A file beside the one that is to be written, taken away again unless it was renamed.
struct Beside(PathBuf);

impl Beside {
    fn make(path: &Path, text: &str) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = Self(path.with_file_name(format!(".{name}.{}", std::process::id())));
        let _ = fs::remove_file(&beside.0);
        let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside.0)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(beside)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn tell(found: &Found, written: &Written, say: &dyn Fn(&str)) {
    if written.told.is_empty() {
        say("nothing was found");
    } else {
        say("found");
    }
    for one in &written.told {
        say(&format!("  {} {}: {}", one.what, one.place, one.from));
        if let Some(why) = &one.not_live {
            say(&format!("    not live: {why}"));
        }
    }
    if !found.missing.is_empty() {
        say("looked for, and not found");
    }
    for one in &found.missing {
        say(&format!("  {} {}: {}", Text::clean(&one.what), Text::clean(&one.place), Text::clean(&one.why)));
    }
}

fn object(found: &Found, written: &Written, file: Option<&PathBuf>, next: Option<&str>) -> serde_json::Value {
    let told = written.told.iter().map(|one| json!({ "what": one.what, "place": one.place, "from": one.from, "not_live": one.not_live }));
    let missing =
        found.missing.iter().map(|one| json!({ "what": one.what, "place": Text::clean(&one.place), "why": Text::clean(&one.why) }));
    json!({
        "schema": shapes::SCHEMA,
        "file": file,
        "text": file.is_none().then_some(&written.text),
        "backends": written.backends,
        "services": written.services,
        "suggested": written.suggested,
        "found": told.collect::<Vec<_>>(),
        "missing": missing.collect::<Vec<_>>(),
        "next": next,
    })
}
