//! Other programs of the terminal, as far as they are on this machine: measured in the same run, by the same hands.

use std::path::{Path, PathBuf};

use crate::terminal::Program;

/// A program, its arguments, and the keys that move its list by a row: of most the arrows, as letters mean other things there.
struct Peer {
    name: &'static str,
    arguments: &'static [&'static str],
    /// What it must lie in to have something to show.
    shows: Shows,
}

/// What a program is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// This machine.
    Machine,
    /// The history of this project.
    History,
    /// The cluster of `KUBECONFIG`.
    Cluster,
}

const fn peer(name: &'static str, arguments: &'static [&'static str], shows: Shows) -> Peer {
    Peer { name, arguments, shows }
}

const PEERS: [Peer; 8] = [
    peer("less", &["Cargo.lock"], Shows::History),
    peer("tig", &[], Shows::History),
    peer("gitui", &[], Shows::History),
    peer("lazygit", &[], Shows::History),
    peer("htop", &[], Shows::Machine),
    peer("btop", &[], Shows::Machine),
    peer("btm", &[], Shows::Machine),
    peer("k9s", &["--command", "pods"], Shows::Cluster),
];

const UP: &[u8] = b"\x1b[A";
const DOWN: &[u8] = b"\x1b[B";

/// Those that are here, and the names of those that are not.
pub(crate) fn found(home: &Path) -> (Vec<(&'static str, Program)>, Vec<&'static str>) {
    let (mut here, mut missing) = (Vec::new(), Vec::new());
    for Peer { name, arguments, shows } in PEERS {
        let Some(path) = on_path(name) else {
            missing.push(name);
            continue;
        };
        let cluster = std::env::var("KUBECONFIG").ok();
        let arguments = match (shows, &cluster) {
            (Shows::Cluster, None) => {
                missing.push("k9s with a KUBECONFIG");
                continue;
            }
            (Shows::Cluster, Some(cluster)) => [&["--kubeconfig", cluster], arguments].concat(),
            (Shows::Machine | Shows::History, _) => arguments.to_vec(),
        };
        let program = Program::new(&path.to_string_lossy(), &arguments, home).moved_by(DOWN, UP);
        let program = if shows == Shows::History { program.working_in(Path::new(env!("CARGO_MANIFEST_DIR"))) } else { program };
        here.push((name, program));
    }
    (here, missing)
}

/// Where a program lies: among those that the caller finds, and those that cargo installs.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path).chain(std::env::var_os("CARGO_HOME").map(|home| PathBuf::from(home).join("bin")));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}
