//! Reads files that say what is around: HAProxy's configuration, kubeconfigs, a repository's remotes, logins. No secret in them is kept.

use std::path::{Path, PathBuf};

use kube::config::Kubeconfig;

use crate::config::init::found::{Context, Login, Missing, Remote};
use crate::config::init::places::Places;

/// The most bytes of a file that are read.
const MOST_BYTES: u64 = 1024 * 1024;
/// The most contexts that are told of.
const MOST_CONTEXTS: usize = 20;

/// What files said.
#[derive(Default)]
pub(super) struct Read {
    /// Sockets of HAProxy, and which file says so.
    pub(super) sockets: Vec<(String, String)>,
    pub(super) contexts: Vec<Context>,
    pub(super) remotes: Vec<Remote>,
    pub(super) workflows: Vec<String>,
    pub(super) logins: Vec<Login>,
    pub(super) missing: Vec<Missing>,
}

/// Reads them.
pub(super) fn read(places: &Places) -> Read {
    let mut read = Read::default();
    for file in &places.haproxy_files {
        match text(file) {
            Ok(text) => read.sockets.extend(sockets(&text).map(|place| (place, format!("named in {}", file.display())))),
            Err(why) => read.miss("HAProxy's configuration", file, &why),
        }
    }
    for file in &places.kubeconfigs {
        match contexts(file) {
            Ok(contexts) => read.contexts.extend(contexts),
            Err(why) => read.miss("a kubeconfig", file, &why),
        }
    }
    // Of two files the first one's current context counts.
    let mut has_current = false;
    for context in &mut read.contexts {
        context.current &= !has_current;
        has_current |= context.current;
    }
    read.contexts.sort_by_key(|context| !context.current);
    read.contexts.truncate(MOST_CONTEXTS);
    match repository(&places.folder) {
        Some((root, config)) => {
            read.remotes = text(&config).map(|text| remotes(&text)).unwrap_or_default();
            if read.remotes.is_empty() {
                read.miss("a git remote", &root, "the repository has none");
            }
            read.workflows = workflows(&root);
        }
        None => read.miss("a git repository", &places.folder, "neither it nor a directory above it is one"),
    }
    for (tool, file) in &places.logins {
        let runs = places.programs.iter().any(|folder| folder.join(tool).is_file());
        match text(file) {
            Ok(text) => {
                let from = file.display().to_string();
                read.logins.extend(hosts(tool, &text).map(|host| Login { tool: (*tool).to_owned(), host, from: from.clone(), runs }));
            }
            Err(why) => read.miss(&format!("a login of {tool}"), file, &why),
        }
    }
    read
}

impl Read {
    fn miss(&mut self, what: &str, place: &Path, why: &str) {
        self.missing.push(Missing { what: what.to_owned(), place: place.display().to_string(), why: why.to_owned() });
    }
}

fn text(file: &Path) -> Result<String, String> {
    use std::io::Read as _;
    let opened = std::fs::File::open(file).map_err(|error| in_words(&error))?;
    if !opened.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err("it is no file".to_owned());
    }
    let mut text = String::new();
    opened.take(MOST_BYTES).read_to_string(&mut text).map_err(|error| in_words(&error))?;
    Ok(text)
}

fn in_words(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::NotFound {
        return "there is no such file".to_owned();
    }
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        return "this user may not read it".to_owned();
    }
    error.to_string()
}

/// `stats socket PLACE ..` lines: paths, and addresses of this machine.
fn sockets(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        if (words.next(), words.next()) != (Some("stats"), Some("socket")) {
            return None;
        }
        let place = words.next()?;
        let place = ["unix@", "ipv4@", "ipv6@"].iter().find_map(|kind| place.strip_prefix(kind)).unwrap_or(place);
        if place.starts_with('/') {
            return Some(place.to_owned());
        }
        let (host, port) = place.rsplit_once(':')?;
        let port: u16 = port.parse().ok()?;
        // One that listens everywhere listens here as well.
        matches!(host, "127.0.0.1" | "localhost" | "*" | "0.0.0.0" | "").then(|| format!("tcp://127.0.0.1:{port}"))
    })
}

fn contexts(file: &Path) -> Result<Vec<Context>, String> {
    text(file)?;
    // Its own words would repeat lines of the file, in which there are keys.
    let config = Kubeconfig::read_from(file).map_err(|_| "it is no kubeconfig".to_owned())?;
    let context = |name: String| Context {
        file: file.display().to_string(),
        current: config.current_context.as_ref() == Some(&name),
        name,
        cluster: None,
    };
    Ok(config.contexts.iter().map(|one| context(one.name.clone())).collect())
}

/// The repository of a directory: its root, and the file with its remotes.
fn repository(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let root = folder.ancestors().find(|above| above.join(".git").exists())?;
    let git = root.join(".git");
    if git.is_dir() {
        return Some((root.to_owned(), git.join("config")));
    }
    // A second work tree: the file says where its own folder is, and that says where the common one is.
    let own = root.join(text(&git).ok()?.trim().strip_prefix("gitdir: ")?);
    let common = text(&own.join("commondir")).map_or_else(|_| own.clone(), |common| own.join(common.trim()));
    Some((root.to_owned(), common.join("config")))
}

fn remotes(text: &str) -> Vec<Remote> {
    let mut name = None;
    let mut remotes = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            name = line.strip_prefix("[remote \"").and_then(|rest| rest.strip_suffix("\"]")).map(str::to_owned);
        } else if let (Some(remote), Some((key, value))) = (&name, line.split_once('='))
            && key.trim() == "url"
            && let Some((host, path)) = host_and_path(value.trim())
        {
            remotes.push(Remote { remote: remote.clone(), host, name: path });
        }
    }
    // The one that most people mean comes first.
    remotes.sort_by_key(|remote: &Remote| remote.remote != "origin");
    remotes
}

/// `https://user:secret@host/owner/name.git`, `git@host:owner/name`, `ssh://git@host:22/owner/name`: what stands before `@` is dropped.
fn host_and_path(url: &str) -> Option<(String, String)> {
    let (authority, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?,
        None => url.split_once(':')?,
    };
    let host = authority.rsplit('@').next()?.split(':').next()?.to_ascii_lowercase();
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && path.contains('/')).then(|| (host, path.to_owned()))
}

/// The workflows that a person may start.
fn workflows(root: &Path) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(root.join(".github/workflows")) else { return Vec::new() };
    let files = files.filter_map(Result::ok).map(|entry| entry.path());
    let is_one = |file: &PathBuf| {
        matches!(file.extension().and_then(|end| end.to_str()), Some("yml" | "yaml"))
            && text(file).is_ok_and(|text| text.contains("workflow_dispatch"))
    };
    let mut names: Vec<String> = files.filter(is_one).filter_map(|file| Some(file.file_name()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

/// The hosts of a file of logins: of gh its outermost keys, of glab those under `hosts:`. What stands below them may be a token.
fn hosts<'t>(tool: &str, text: &'t str) -> impl Iterator<Item = String> + 't {
    let glab = tool == "glab";
    let mut within = !glab;
    let mut depth = None;
    let is_host = |word: &str| word.contains('.') && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    text.lines().filter_map(move |line| {
        let indent = line.len() - line.trim_start().len();
        let key = line.trim().strip_suffix(':')?;
        if glab && indent == 0 {
            within = key == "hosts";
            return None;
        }
        let at = *depth.get_or_insert(indent);
        (within && indent == at && is_host(key)).then(|| key.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_is_told_without_what_stands_before_its_host() {
        for url in [
            "https://ana:hunter2@github.com/acme/shop.git",
            "git@github.com:acme/shop.git",
            "ssh://git@github.com:22/acme/shop",
            "https://github.com/acme/shop/",
        ] {
            assert_eq!(host_and_path(url), Some(("github.com".to_owned(), "acme/shop".to_owned())), "{url}");
        }
        assert_eq!(host_and_path("/srv/git/shop"), None);
    }

    #[test]
    fn only_hosts_are_taken_from_a_file_of_logins() {
        let gh = "github.com:\n    user: ana\n    oauth_token: gho_planted\n    users:\n        ana.b:\n    git_protocol: https\ngit.shop.example:\n    user: ana\n";
        assert_eq!(hosts("gh", gh).collect::<Vec<_>>(), ["github.com", "git.shop.example"]);
        let glab =
            "git_protocol: ssh\nhosts:\n    gitlab.com:\n        token: glpat-planted\n        api_host: gitlab.com\nlast.update.check:\n";
        assert_eq!(hosts("glab", glab).collect::<Vec<_>>(), ["gitlab.com"]);
    }

    #[test]
    fn stats_sockets_of_this_machine_are_found_and_no_others() {
        let text = "global\n  stats socket /run/haproxy/admin.sock mode 660 level admin # here\n  stats socket ipv4@127.0.0.1:9999 level admin\n  \
                    # stats socket /run/old.sock\n  stats timeout 30s\n  stats socket ipv4@10.0.0.7:9999\n  stats socket *:9998\n";
        let found: Vec<String> = sockets(text).collect();
        assert_eq!(found, ["/run/haproxy/admin.sock", "tcp://127.0.0.1:9999", "tcp://127.0.0.1:9998"]);
    }
}
