//! The format: what CONTRACTS.md, "Ledger", promises to someone who never saw gonogo, checked without gonogo's own reader.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::ports::ledger::Ledger;
use crate::store::verify_lines;

/// A ledger with an entry of most kinds.
pub async fn filled(dir: &Path, clock: &Arc<Still>) -> SqliteStore {
    let store = store(dir, clock).await;
    for (verb, nonce) in [(Verb::Hold, "1"), (Verb::Resume, "2"), (Verb::Note, "3")] {
        let plan = plan(clock, verb, nonce);
        store.begin(&plan, &yes(plan.id)).await.unwrap();
        clock.pass(Duration::from_millis(1500));
    }
    let shift = plan(clock, Verb::Shift, "4");
    let begun = store.begin(&shift, &yes(shift.id)).await.unwrap();
    store.sending(&begun, 0).await.unwrap();
    for kind in [EntryKind::Unknown, EntryKind::NotBegun, EntryKind::Accepted] {
        store.record(shift.id, &outcome(kind, Some(0))).await.unwrap();
    }
    store.record(shift.id, &outcome(EntryKind::Failed, None)).await.unwrap();
    store
}

fn sha(parts: &[&[u8]]) -> Vec<u8> {
    Sha256::digest(parts.concat()).to_vec()
}

#[tokio::test]
async fn the_chain_the_tree_and_the_bytes_are_what_the_contract_says() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = filled(dir.path(), &clock).await;
    let (header, lines) = store.lines().await.unwrap();
    let head: Value = serde_json::from_slice(&header).unwrap();
    let vkey = head["vkey"].as_str().unwrap();
    assert_eq!(
        String::from_utf8(header.clone()).unwrap(),
        format!(r#"{{"gonogo":"ledger/1","installation":"test","origin":"gonogo/test","vkey":"{vkey}"}}"#)
    );
    let mut above = sha(&[&[0], &header]);
    let mut level = Vec::new();
    for (n, bytes) in lines.iter().enumerate() {
        let line: Value = serde_json::from_slice(bytes).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let (at, kind, body, sig) = (text("at"), text("kind"), text("body"), text("sig"));
        let prev = Base64::encode_string(&above);
        let written =
            format!(r#"{{"n":{n},"prev":"{prev}","at":"{at}","kind":"{kind}","signer":"process:test","body":"{body}","sig":"{sig}"}}"#);
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), written);
        assert!(at.ends_with('Z') && at.len() == "2023-11-14T22:13:20.000Z".len());
        above = sha(&[&[0], bytes]);
        level.push(above.clone());
        let body: Value = match kind.as_str() {
            "signers" => continue,
            _ => serde_json::from_slice(&Base64::decode_vec(&body).unwrap()).unwrap(),
        };
        assert_eq!((&body["installation"], &body["format"]), (&Value::from("test"), &Value::from(1)));
        if kind != "intent" {
            assert_eq!((&body["kind"], body["deed"].as_str().unwrap().len()), (&Value::from(kind), 64));
            assert_eq!(body["requester"], "ana");
            assert!(body.get("step").is_some());
        }
    }
    let intent: Value = serde_json::from_slice(&lines[1]).unwrap();
    let body = Base64::decode_vec(intent["body"].as_str().unwrap()).unwrap();
    let plan = PlanId(sha(&[&body]).try_into().unwrap());
    assert_eq!(store.entries(1, 1).await.unwrap()[0].deed.unwrap(), plan);
    // Pairs, with an odd last one carried up, give the same tree as the definition.
    while level.len() > 1 {
        level = level.chunks(2).map(|pair| if let [a, b] = pair { sha(&[&[1], a, b]) } else { pair[0].clone() }).collect();
    }
    let note = std::fs::read_to_string(dir.path().join("checkpoint")).unwrap();
    let expected = format!("gonogo/test\n{}\n{}\n\n\u{2014} gonogo/test ", lines.len(), Base64::encode_string(&level[0]));
    assert!(note.starts_with(&expected), "{note}");
    let key = Base64::decode_vec(vkey.rsplit_once('+').unwrap().1).unwrap();
    let id = &sha(&[b"gonogo/test\n", &key])[..4];
    let hex = format!("{:08x}", u32::from_be_bytes(id.try_into().unwrap()));
    assert!(vkey.starts_with(&format!("gonogo/test+{hex}+")));
    let blob = Base64::decode_vec(note.strip_prefix(&expected).unwrap().trim_end()).unwrap();
    assert_eq!((&blob[..4], blob.len()), (id, 68));
}

#[tokio::test]
async fn ssh_keygen_verifies_every_entry() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = filled(dir.path(), &clock).await;
    let (_, lines) = store.lines().await.unwrap();
    let work = tempfile::tempdir().unwrap();
    let (allowed, signature) = (work.path().join("allowed"), work.path().join("sig"));
    for bytes in &lines {
        let line: Value = serde_json::from_slice(bytes).unwrap();
        let body = Base64::decode_vec(line["body"].as_str().unwrap()).unwrap();
        if line["kind"] == "signers" {
            std::fs::write(&allowed, &body).unwrap();
        }
        let sig = line["sig"].as_str().unwrap();
        std::fs::write(&signature, format!("-----BEGIN SSH SIGNATURE-----\n{sig}\n-----END SSH SIGNATURE-----\n")).unwrap();
        assert!(keygen(&allowed, &signature, &body), "{line}");
        let mut other = body.clone();
        other[0] ^= 1;
        assert!(!keygen(&allowed, &signature, &other), "{line}");
    }
    let key = Command::new("ssh-keygen").arg("-y").arg("-f").arg(dir.path().join("process.key")).output().unwrap();
    let public = String::from_utf8(key.stdout).unwrap();
    let named = std::fs::read_to_string(&allowed).unwrap();
    assert!(named.starts_with("process:test namespaces=\"gonogo-deed@v1,gonogo-approval@v1,gonogo-checkpoint@v1\" ssh-ed25519 "));
    assert!(public.starts_with(named.split_once("\" ").unwrap().1.trim_end()), "{public} {named}");
}

fn keygen(allowed: &Path, signature: &Path, body: &[u8]) -> bool {
    let mut child = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-I", "process:test", "-n", "gonogo-deed@v1", "-f"])
        .arg(allowed)
        .arg("-s")
        .arg(signature)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("ssh-keygen is installed");
    child.stdin.take().unwrap().write_all(body).unwrap();
    child.wait().unwrap().success()
}

#[tokio::test]
async fn the_same_seed_and_orders_give_the_same_bytes() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
        let store = filled(dir.path(), &clock).await;
        runs.push((store.lines().await.unwrap(), store.checkpoint().unwrap()));
    }
    assert_eq!(runs[0], runs[1]);
    let clock = Still::new();
    let memory = SqliteStore::memory(clock.clone(), identity()).await.unwrap();
    let hold = plan(&clock, Verb::Hold, "1");
    memory.begin(&hold, &yes(hold.id)).await.unwrap();
    assert_eq!(memory.lines().await.unwrap().1[..], runs[0].0.1[..4]);
    assert!(memory.verify().await.unwrap().intact);
}

#[tokio::test]
async fn every_changed_byte_of_a_line_is_found_at_its_place() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = filled(dir.path(), &clock).await;
    let (header, lines) = store.lines().await.unwrap();
    let note = store.checkpoint().unwrap().unwrap();
    assert!(verify_lines(&header, &lines, Some(&note)).intact);
    for n in [0, 1, 2, lines.len() - 1] {
        for place in (0..lines[n].len()).step_by(23) {
            let mut bad = lines.clone();
            bad[n][place] ^= 1;
            let found = verify_lines(&header, &bad, Some(&note));
            assert!(!found.intact, "byte {place} of line {n}");
            let (last, n) = (n + 1 == lines.len(), u64::try_from(n).unwrap());
            // A changed `prev` accuses the line above, as the contract words it; above the first line stands the header, and what
            // still reads well in the last line only the checkpoint tells.
            match found.first_bad {
                Some(first) => assert!(first == n || first + 1 == n, "{place} of {n}: {found:?}"),
                None => assert!(last && found.reason == Some(Text::clean("checkpoint")), "{place} of {n}: {found:?}"),
            }
        }
    }
    for place in (0..header.len()).step_by(3) {
        let mut bad = header.clone();
        bad[place] ^= 1;
        let found = verify_lines(&bad, &lines, Some(&note));
        assert!(!found.intact, "byte {place} of the header");
    }
    for place in (0..note.len()).step_by(3) {
        let mut bad = note.clone().into_bytes();
        bad[place] ^= 1;
        let Ok(bad) = String::from_utf8(bad) else { continue };
        let found = verify_lines(&header, &lines, Some(&bad));
        assert_eq!((found.first_bad, found.reason.unwrap().as_str()), (None, "checkpoint"), "byte {place} of the note");
    }
    let cut = verify_lines(&header, &lines[..3], Some(&note));
    assert_eq!((cut.intact, cut.first_bad, cut.reason.unwrap().as_str().to_owned()), (false, None, "checkpoint".to_owned()));
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    assert_eq!(verify_lines(&header, &swapped, Some(&note)).first_bad, Some(2));
    let mut without = lines.clone();
    without.remove(4);
    assert_eq!(verify_lines(&header, &without, Some(&note)).first_bad, Some(3));
    assert!(!verify_lines(&header, &lines, Some("")).intact);
    assert!(!verify_lines(b"", &lines, None).intact);
}
