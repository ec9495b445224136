//! The auditors' page: its script and its commands are taken from it word by word and run.

use std::process::{Command, Output};

use super::format::filled;
use super::*;

const PAGE: &str = include_str!("../AUDITORS.md");

/// The one block of a language on the page.
fn block(language: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("```{language}\n")).unwrap();
    let (block, after) = rest.split_once("```\n").unwrap();
    assert!(!after.contains(&format!("```{language}\n")), "more than one block of {language}");
    block
}

fn check(dir: &Path, arguments: &[&str]) -> Output {
    std::fs::write(dir.join("check.py"), block("python")).unwrap();
    Command::new("python3").arg("check.py").args(arguments).current_dir(dir).output().expect("python3 is installed")
}

#[tokio::test]
async fn the_script_of_the_page_finds_what_gonogo_finds() {
    assert!(block("python").lines().count() <= 45, "a script that is read before it is run is short");
    let (dir, work, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Still::new());
    let store = filled(dir.path(), &clock).await;
    let file = String::from_utf8(store.export(None).await.unwrap()).unwrap();
    let write = |name: &str, text: &str| std::fs::write(work.path().join(name), text).unwrap();
    write("export.jsonl", &file);
    write("kept", &store.checkpoint().unwrap().unwrap());
    let ended = check(work.path(), &["export.jsonl", "kept"]);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(String::from_utf8(ended.stdout).unwrap().starts_with("intact: 16 entries of test"), "{}", file.lines().count());

    let all: Vec<&str> = file.lines().collect();
    let without = |n: usize| [&all[..n], &all[n + 1..]].concat().join("\n") + "\n";
    let cut = String::from_utf8(store.export(Some(5)).await.unwrap()).unwrap();
    let body = all[3].split_once("\"body\":\"").unwrap().1.split_once('"').unwrap().0;
    let other_body = all[4].split_once("\"body\":\"").unwrap().1.split_once('"').unwrap().0;
    for (name, text, says) in [
        ("changed", file.replace("\"kind\":\"resume\"", "\"kind\":\"held\""), "entry 6"),
        ("body", file.replace(body, other_body), "entry 2: its signature"),
        ("removed", without(4), "entry 3: its bytes"),
        ("spaced", file.replace("{\"n\":2,", "{\"n\": 2,"), "entry 2: its bytes"),
        ("cut", cut, "checkpoint of 16 entries"),
        ("closing", file.replace("\"sshsig\":\"U1", "\"sshsig\":\"V1"), "signature of the closing line"),
    ] {
        write(name, &text);
        let ended = check(work.path(), &[name, "kept"]);
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success() && said.contains(says), "{name}: {said}");
    }
}

#[tokio::test]
async fn the_commands_of_the_page_check_one_signature() {
    let (dir, work, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Still::new());
    let store = filled(dir.path(), &clock).await;
    let file = String::from_utf8(store.export(None).await.unwrap()).unwrap();
    let run = |text: &str, n: &str| {
        std::fs::write(work.path().join("export.jsonl"), text).unwrap();
        Command::new("sh").args(["-euc", block("sh")]).env("N", n).current_dir(work.path()).output().unwrap()
    };
    for n in ["1", "2", "7", "15"] {
        let ended = run(&file, n);
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(ended.status.success() && said.starts_with("Good \"gonogo-deed@v1\" signature for process:test"), "{n}: {ended:?}");
    }
    let of = |n: usize| file.lines().nth(n + 1).unwrap().split_once("\"sig\":\"").unwrap().1.to_owned();
    assert!(!run(&file.replace(&of(2), &of(3)), "2").status.success());
}
