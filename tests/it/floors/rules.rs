//! The tables of the floors, and the rules that read them.

use super::paths::{Leads, attributes, paths};
use super::source::{Source, Tree};

/// The floors: a module, and exactly what it may import beside itself.
const FLOORS: &[(&str, &[&str])] = &[
    ("cli", &["model", "ports", "config", "analysis", "policy", "adapters", "store", "control", "ui", "serve"]),
    ("serve", &["model", "ports", "config", "control", "ui"]),
    ("ui", &["model", "analysis", "policy", "config", "control"]),
    ("control", &["model", "analysis", "policy", "ports", "config"]),
    ("adapters", &["model", "ports", "config"]),
    ("store", &["model", "ports", "config"]),
    ("policy", &["model", "analysis"]),
    ("analysis", &["model"]),
    ("ports", &["model"]),
    ("config", &["model"]),
    ("model", &[]),
];

/// Wherever the runtime may be used.
const ASYNC: &[&str] = &["cli", "serve", "adapters", "store", "control::driver", "control::engine"];
/// Wherever a person's log may be written: not in the pure floors.
const LOGS: &[&str] = &["cli", "serve", "ui", "control", "adapters", "store", "config"];
/// Wherever files, sockets and processes may be touched.
const SYSTEM: &[&str] = &["cli", "serve", "adapters", "store", "config", "control::driver", "control::engine", "control::replay"];
/// Pure computation on values, no I/O: everywhere.
const ANYWHERE: &[&str] = &[""];

/// Each crate (or part of `std`) and the modules in which it may be named. A new dependency needs a line here and one in
/// src/decisions/0007.
const FENCES: &[(&str, &[&str])] = &[
    ("base64ct", ANYWHERE),
    ("chrono", ANYWHERE),
    ("chrono_tz", ANYWHERE),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("color_eyre", &["cli"]),
    ("crossterm", &["serve", "cli"]),
    ("ratatui::crossterm", &["serve", "cli"]),
    ("directories", &["config"]),
    ("flate2", &["model::long_text"]),
    ("futures_util", ASYNC),
    ("getrandom", &["cli", "serve", "adapters", "store", "control::driver", "control::engine"]),
    ("k8s_openapi", &["adapters"]),
    ("kube", &["adapters"]),
    ("nucleo_matcher", &["ui"]),
    ("rand", &["adapters", "control"]),
    ("rand_chacha", &["adapters", "control"]),
    ("ratatui", &["ui"]),
    ("reqwest", &["adapters"]),
    ("rpds", ANYWHERE),
    ("russh", &["serve", "adapters::signer"]),
    ("rustix", &["cli", "serve", "adapters", "store", "config", "control::driver"]),
    ("rustls", &["cli", "adapters"]),
    ("saphyr_parser", &["config"]),
    ("secrecy", &["adapters"]),
    ("serde", ANYWHERE),
    ("serde_json", ANYWHERE),
    ("serde_json_canonicalizer", ANYWHERE),
    ("sha2", ANYWHERE),
    ("signature", &["store"]),
    ("sqlx", &["store"]),
    ("ssh_key", &["store", "adapters::signer", "config::sshkey"]),
    ("std::fs", SYSTEM),
    ("std::net", SYSTEM),
    ("std::os::unix::net", SYSTEM),
    ("std::process", SYSTEM),
    ("strsim", ANYWHERE),
    ("thiserror", ANYWHERE),
    ("tokio", ASYNC),
    ("toml", &["config"]),
    ("tracing", LOGS),
    ("tracing_appender", &["cli"]),
    ("tracing_subscriber", &["cli"]),
    ("tui_textarea", &["ui"]),
    ("unicode_segmentation", ANYWHERE),
    ("unicode_width", ANYWHERE),
];

/// Capabilities: the word that makes one, and the only places that may say it. The word is reserved in the whole crate, so that
/// no alias of the type can hide it.
const MAKERS: &[(&str, &str, &str)] = &[("grant", "Permit", "src/policy/judge.rs"), ("attest", "Recorded", "src/store/")];

/// Imports that do not go downwards by the table.
pub fn imports(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for source in &tree.sources {
        let Some(floor) = source.floor() else { continue };
        let Some((_, may)) = FLOORS.iter().find(|(name, _)| *name == floor) else {
            found.push(format!("{}: `{floor}` is no floor; put the file on one of {}", source.path, names()));
            continue;
        };
        for mention in paths(tree, source) {
            let Leads::Inside(words) = &mention.leads else { continue };
            let Some(target) = words.first().filter(|first| FLOORS.iter().any(|(name, _)| name == first)) else { continue };
            if target != floor && !may.contains(&target.as_str()) {
                found.push(format!(
                    "{}: `{}` imports from `{target}`, but `{floor}` may import only {}; move what is needed down to a floor that both may \
                     use, or pass it in as an argument or a trait from `ports`",
                    source.path,
                    mention.written,
                    list(may),
                ));
            }
        }
    }
    unique(found)
}

/// Crates used outside their fence.
pub fn fences(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for source in &tree.sources {
        for mention in paths(tree, source) {
            let Leads::Outside(words) = &mention.leads else { continue };
            let path = words.join("::");
            let fence = FENCES.iter().filter(|(name, _)| under(&path, name)).max_by_key(|(name, _)| name.len());
            let Some((name, places)) = fence else { continue };
            if !places.iter().any(|place| place.is_empty() || stands_in(source, place)) {
                found.push(format!(
                    "{}: `{}` uses `{name}`, which belongs only to {}; put that code there and hand over a type of ours",
                    source.path,
                    mention.written,
                    list(places),
                ));
            }
        }
    }
    unique(found)
}

/// Dependencies of a manifest that no line of the table of fences names.
pub fn unfenced(manifest: &str) -> Vec<String> {
    let section = manifest.split("\n[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
    let names = section.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().replace('-', "_"));
    let missing = names.filter(|name| !name.starts_with('#') && !FENCES.iter().any(|(fenced, _)| fenced == name));
    let say =
        |name| format!("Cargo.toml: `{name}` has no fence; give it a line in tests/it/floors/rules.rs and a reason in src/decisions/0007");
    missing.map(say).collect()
}

/// Capabilities made elsewhere than by their makers.
pub fn makers(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for source in &tree.sources {
        for mention in paths(tree, source) {
            for (word, capability, maker) in MAKERS {
                let said = mention.words().last().is_some_and(|last| last == word);
                if said && !source.path.starts_with(maker) {
                    found.push(format!(
                        "{}: `{}` makes a `{capability}`, which only {maker} may do; take one as an argument (the word `{word}` is \
                         reserved: if this is something else, give it another name)",
                        source.path, mention.written,
                    ));
                }
            }
        }
    }
    unique(found)
}

/// Capabilities that could be made without their maker: a public field, `Default`, `Deserialize`, or `Clone` of what is used once.
pub fn forgeable(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    let items = tree.sources.iter().flat_map(|source| source.syntax.items.iter().map(move |item| (source, item)));
    for (source, item) in items {
        let syn::Item::Struct(structure) = item else { continue };
        let name = structure.ident.to_string();
        let once = name == "Recorded" || name == "Effect";
        if source.path != "src/model/deed.rs" || !(once || name == "Permit") {
            continue;
        }
        if structure.fields.iter().any(|field| !matches!(field.vis, syn::Visibility::Inherited)) {
            found.push(format!("{}: a field of `{name}` is visible outside; make it private and give a method that reads it", source.path));
        }
        for attribute in attributes(item) {
            let syn::Meta::List(list) = &attribute.meta else { continue };
            let tokens = list.tokens.to_string();
            for bad in ["Default", "Deserialize"].into_iter().chain(once.then_some("Clone")) {
                if list.path.is_ident("derive") && tokens.split(|c: char| !c.is_alphanumeric()).any(|word| word == bad) {
                    found.push(format!("{}: `{name}` derives `{bad}`, so anyone could make one; remove the derive", source.path));
                }
            }
        }
    }
    found
}

fn stands_in(source: &Source, place: &str) -> bool {
    let module = source.module.join("::");
    under(if module == "main" { "cli" } else { &module }, place)
}

/// Whether a path is `top` or lies below it.
fn under(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn names() -> String {
    list(&FLOORS.iter().map(|(name, _)| *name).collect::<Vec<_>>())
}

fn list(words: &[&str]) -> String {
    if words.is_empty() { "nothing of this crate".to_owned() } else { format!("`{}`", words.join("`, `")) }
}

fn unique(mut found: Vec<String>) -> Vec<String> {
    found.sort();
    found.dedup();
    found
}
