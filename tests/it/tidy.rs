//! House rules beyond the sources: what lies where, what no committed file may say, what a decision looks like.

use std::process::Command;

use crate::floors::source::root;

/// What may lie in the root besides dot files.
const ROOT: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "src",
    "themes",
    "keymaps",
    "fixtures",
    "tests",
    "benches",
    "build.rs",
    "LICENSE-MIT",
    "LICENSE-APACHE",
];
/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "manager", "prelude", "misc"];
/// The lines that a decision may have.
const DECISION_LINES: usize = 40;

/// A committed (or about to be committed) file: its path from the root, and its text unless it is binary.
struct File {
    path: String,
    text: Option<String>,
}

fn files() -> Vec<File> {
    let git = Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root()).output();
    let git = git.expect("git lists the files of the house");
    assert!(git.status.success(), "git ls-files: {}", String::from_utf8_lossy(&git.stderr));
    let names = String::from_utf8(git.stdout).expect("file names are UTF-8");
    let present = names.split('\0').filter(|name| !name.is_empty() && root().join(name).is_file());
    present.map(|name| File { path: name.to_owned(), text: std::fs::read_to_string(root().join(name)).ok() }).collect()
}

fn texts(check: impl Fn(&str, &str) -> Option<String>) {
    let all = files();
    assert!(all.iter().any(|file| file.path == "Cargo.toml"), "the files of the house were not seen");
    let found: Vec<String> = all.iter().filter_map(|file| check(&file.path, file.text.as_deref()?)).collect();
    assert!(found.is_empty(), "\n  {}\n", found.join("\n  "));
}

fn paths(check: impl Fn(&str) -> Option<String>) {
    let found: Vec<String> = files().iter().filter_map(|file| check(&file.path)).collect();
    assert!(found.is_empty(), "\n  {}\n", found.join("\n  "));
}

/// A folder of somebody's machine; the patterns are put together so that this file does not contain them.
fn machine_path(path: &str, text: &str) -> Option<String> {
    let tops = [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"]].map(|parts| parts.concat());
    for (number, line) in text.lines().enumerate() {
        for top in &tops {
            let mut starts = line.match_indices(top.as_str()).map(|(at, _)| at);
            let named = |at: usize| line[at + top.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_');
            let alone = |at: usize| !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.' || c == '}' || c == '_');
            if starts.any(|at| alone(at) && named(at)) {
                return Some(format!("{path}:{}: `{top}..` is a path of one machine; say it from the root or by a variable", number + 1));
            }
        }
    }
    None
}

/// The address of a package registry or a mirror: those belong into each machine's own settings.
fn registry_host(path: &str, text: &str) -> Option<String> {
    let marks = [
        ["index", "-url"],
        ["extra-", "index"],
        ["replace", "-with"],
        ["pypi", ".org"],
        ["pythonhosted", ".org"],
        ["registry.", "npmjs"],
        ["static.", "crates.io"],
        ["index.", "crates.io"],
        ["proxy.", "golang"],
        ["deb.", "debian.org"],
    ];
    let say = |number: usize, mark: &str| format!("{path}:{number}: `{mark}` names a registry; leave the choice to the machine's settings");
    for (number, line) in text.lines().enumerate() {
        if let Some(mark) = marks.iter().map(|parts| parts.concat()).find(|mark| line.contains(mark.as_str())) {
            return Some(say(number + 1, &mark));
        }
        let locked = line.strip_prefix("source = \"").filter(|_| path == "Cargo.lock");
        if locked.is_some_and(|source| !source.starts_with("registry+https://github.com/rust-lang/crates.io-index")) {
            return Some(say(number + 1, line));
        }
    }
    None
}

fn misplaced(path: &str) -> Option<String> {
    let top = path.split('/').next()?;
    let fixed = top.starts_with('.') || ROOT.contains(&top);
    (!fixed).then(|| format!("{path}: the root is fixed ({}, dot files); put it beside what it describes", ROOT.join(", ")))
}

fn empty_name(path: &str) -> Option<String> {
    let named = path.strip_suffix(".rs")?.split('/').find(|part| EMPTY_NAMES.contains(part))?;
    Some(format!("{path}: `{named}` names nothing; name the file after the noun or the verb that it holds"))
}

fn decision(path: &str, text: &str) -> Option<String> {
    let name = path.strip_prefix("src/decisions/")?.strip_suffix(".md")?;
    let wrong =
        |what: &str| Some(format!("{path}: {what}; the form is `# 0001 Title`, empty line, `2026-01-31`, Context, Decision, Consequence"));
    let mut lines = text.lines();
    let number = name.split('-').next().unwrap_or_default();
    if number.len() != 4 || !number.chars().all(|c| c.is_ascii_digit()) {
        return wrong("its name does not begin with four digits");
    }
    if !lines.next().is_some_and(|title| title.starts_with(&format!("# {number} "))) {
        return wrong("line 1 is not its number and title");
    }
    if lines.nth(1).and_then(|date| chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()).is_none() {
        return wrong("line 3 is no date");
    }
    if let Some(missing) = ["## Context", "## Decision", "## Consequence"].iter().find(|part| !text.lines().any(|line| line == **part)) {
        return wrong(&format!("`{missing}` is missing"));
    }
    (text.lines().count() > DECISION_LINES).then(|| format!("{path}: more than {DECISION_LINES} lines; a decision is short"))
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    texts(machine_path);
}

#[test]
fn no_file_names_a_registry() {
    texts(registry_host);
}

#[test]
fn the_root_is_fixed() {
    paths(misplaced);
}

#[test]
fn names_say_something() {
    paths(empty_name);
}

#[test]
fn decisions_have_their_form() {
    texts(decision);
    assert!(files().iter().any(|file| file.path.starts_with("src/decisions/0001")), "src/decisions/0001 is gone");
}

#[test]
fn every_dependency_has_its_reason() {
    let reasons = std::fs::read_to_string(root().join("src/decisions/0007-dependencies.md")).unwrap();
    let names = manifest_names(&crate::floors::source::manifest());
    let missing: Vec<String> = names.into_iter().filter(|name| !reasons.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "say in src/decisions/0007-dependencies.md what these earn their place by: {missing:?}");
}

#[test]
fn commands_of_the_house_can_be_run() {
    use std::os::unix::fs::PermissionsExt as _;
    for name in ["tests/servers", "tests/all", "tests/cluster/build", "tests/cluster/all", ".ci/run"] {
        let mode = std::fs::metadata(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}")).permissions().mode();
        assert!(mode & 0o111 != 0, "{name} is not executable; chmod +x it");
    }
}

/// `cargo test` does not run the tests of the cluster, so that it cannot seem to; what does run them says how many there were.
#[test]
fn the_second_tier_of_the_tests_is_run_by_the_checks_and_by_a_command_of_its_own() {
    let text = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    assert!(text("Cargo.toml").contains("path = \"tests/cluster/main.rs\"\ntest = false"));
    assert!(text("tests/cluster/all").contains("cargo test --locked --test cluster"));
    assert!(text(".ci/run").contains("tests/cluster/all") && text(".ci/run").contains("clippy --locked --test cluster"));
}

#[test]
fn every_break_still_has_its_place_and_its_test() {
    let ran = Command::new("python3").args(["tests/sabotage", "--check"]).current_dir(root()).output().unwrap();
    assert!(ran.status.success(), "{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
}

/// The names in the tables of dependencies.
fn manifest_names(manifest: &str) -> Vec<String> {
    let tables = manifest.split("\n[").filter(|table| table.starts_with("dependencies]") || table.starts_with("dev-dependencies]"));
    let lines = tables.flat_map(|table| table.lines().skip(1)).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().to_owned()).collect()
}

mod caught {
    //! Each rule against a wrong file.

    use super::{decision, empty_name, machine_path, manifest_names, misplaced, registry_host};

    fn put(parts: [&str; 2]) -> String {
        parts.concat()
    }

    #[test]
    fn a_folder_of_one_machine() {
        for line in [put(["see /wo", "rk/gonogo"]), put(["'/ho", "me/ana/x'"]), put(["(/ro", "ot/.cargo)"])] {
            let said = machine_path("README.md", &format!("fine\n{line}\n")).unwrap_or_else(|| panic!("{line} went through"));
            assert!(said.starts_with("README.md:2: "), "{said}");
        }
        for line in [put(["https://x.example/wo", "rk/"]), put(["$X/ho", "me/"]), put(["${HOME}/ro", "ot/x"])] {
            assert_eq!(machine_path("README.md", &line), None);
        }
    }

    #[test]
    fn a_registry() {
        assert!(registry_host("tests/servers", &put(["pip install --index", "-url X"])).is_some());
        assert!(registry_host("Cargo.lock", "source = \"registry+https://mirror.example/index\"").is_some());
        assert!(registry_host("Cargo.lock", "source = \"git+https://forge.example/x\"").is_some());
        assert_eq!(registry_host("Cargo.lock", "source = \"registry+https://github.com/rust-lang/crates.io-index\""), None);
    }

    #[test]
    fn a_file_in_the_root_and_a_name_that_says_nothing() {
        assert!(misplaced("NOTES.md").is_some_and(|said| said.contains("the root is fixed")));
        assert!(misplaced("docs/a.md").is_some());
        assert_eq!(misplaced(".ci/run"), None);
        assert!(empty_name("src/store/utils.rs").is_some());
        assert!(empty_name("src/common/text.rs").is_some());
        assert_eq!(empty_name("src/model/text.rs"), None);
    }

    #[test]
    fn a_decision_without_its_form() {
        let right = "# 0009 A title\n\n2026-11-23\n\n## Context\nA.\n## Decision\nB.\n## Consequence\nC.\n";
        assert_eq!(decision("src/decisions/0009-a.md", right), None);
        assert!(decision("src/decisions/0008-a.md", right).is_some_and(|said| said.contains("line 1")));
        assert!(decision("src/decisions/a.md", right).is_some_and(|said| said.contains("four digits")));
        assert!(decision("src/decisions/0009-a.md", &right.replace("2026-11-23", "soon")).is_some_and(|said| said.contains("no date")));
        assert!(decision("src/decisions/0009-a.md", &right.replace("## Decision\n", "")).is_some_and(|said| said.contains("## Decision")));
        assert!(decision("src/decisions/0009-a.md", &format!("{right}{}", "x\n".repeat(40))).is_some_and(|said| said.contains("short")));
    }

    #[test]
    fn a_dependency_without_a_reason() {
        let names = manifest_names(
            "[package]\nname = \"x\"\n\n[dependencies]\nserde = \"1\"\n# why\n\n[dev-dependencies]\nsyn = \"2\"\n\n[lints.rust]\na = \"b\"\n",
        );
        assert_eq!(names, ["serde", "syn"]);
    }
}
