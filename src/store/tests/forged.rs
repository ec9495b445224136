//! Forged ledgers: whoever can write the lines, and even sign, is found by what does not fit.

use super::format::filled;
use super::*;
use crate::store::record::{Line, to_line};
use crate::store::sign::ProcessKey;
use crate::store::tree::leaf;
use crate::store::verify_lines;
use base64ct::{Base64, Encoding as _};

/// Changes line `n` and chains the lines under it anew, as a forger without a checkpoint to fear would.
fn forge(header: &[u8], lines: &[Vec<u8>], n: usize, change: impl Fn(&mut Line)) -> (bool, Option<u64>, String) {
    let mut above = leaf(header);
    let mut forged = Vec::new();
    for (place, bytes) in lines.iter().enumerate() {
        let mut line: Line = serde_json::from_slice(bytes).unwrap();
        line.prev = Base64::encode_string(&above);
        if place == n {
            change(&mut line);
        }
        let bytes = to_line(&line).unwrap();
        above = leaf(&bytes);
        forged.push(bytes);
    }
    let found = verify_lines(header, &forged, None);
    (found.intact, found.first_bad, found.reason.map(|why| why.to_string()).unwrap_or_default())
}

/// Where it is, why it fails, what was done.
type Case<'a> = (usize, &'a str, &'a dyn Fn(&mut Line));

fn resign(line: &mut Line, namespace: &str, body: &[u8]) {
    let key = ProcessKey::from_seed(&identity().seed, Some("test")).unwrap();
    line.sig = key.sshsig(namespace, body).unwrap();
    line.body = Base64::encode_string(body);
}

#[tokio::test]
async fn what_a_forger_chains_anew_is_found_by_what_does_not_fit() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (header, lines) = filled(dir.path(), &clock).await.lines().await.unwrap();
    let at = |n, change: &dyn Fn(&mut Line)| forge(&header, &lines, n, change);
    let deed = "gonogo-deed@v1";
    let body = |line: &Line| String::from_utf8(Base64::decode_vec(&line.body).unwrap()).unwrap();

    assert_eq!(at(99, &|_| ()), (true, None, String::new()));
    let cases: [Case<'_>; 13] = [
        (2, "signature", &|line| line.body = Base64::encode_string(body(line).replace("because", "whyever").as_bytes())),
        (2, "signature", &|line| line.sig = serde_json::from_slice::<Line>(&lines[3]).unwrap().sig),
        (2, "signature", &|line| line.signer = "ana".to_owned()),
        (2, "signature", &|line| line.sig = Base64::encode_string(b"SSHSIG")),
        // Nothing signs the version of a signature.
        (2, "signature", &|line| line.sig = line.sig.replacen("U1NIU0lHAAAAAQ", "U1NIU0lHAAAAAA", 1)),
        (2, "namespace", &|line| resign(line, "gonogo-checkpoint@v1", body(line).as_bytes())),
        (2, "namespace", &|line| resign(line, "gonogo-approval@v1", body(line).as_bytes())),
        (2, "body", &|line| resign(line, deed, body(line).replace("\"test\"", "\"other\"").as_bytes())),
        (2, "body", &|line| resign(line, deed, body(line).replace("\"format\":1", "\"format\":1.5").as_bytes())),
        (2, "body", &|line| resign(line, deed, format!(" {}", body(line)).as_bytes())),
        (3, "body", &|line| line.kind = EntryKind::Held),
        (4, "at", &|line| line.at = "2001-01-01T00:00:00.000Z".to_owned()),
        (4, "n", &|line| line.n = 5),
    ];
    for (place, (n, why, change)) in cases.into_iter().enumerate() {
        let (intact, first_bad, reason) = at(n, change);
        assert_eq!((intact, first_bad), (false, u64::try_from(n).ok()), "case {place}: {reason}");
        assert!(reason.starts_with(&format!("{why}: ")), "case {place}: {reason}");
    }
    // With the key of the process, the founding entry can be written anew, but not for another key than the header's.
    let other = ProcessKey::from_seed(&[8; 32], Some("test")).unwrap();
    let founded = |line: &mut Line| {
        let body = other.allowed_signers().unwrap();
        line.sig = other.sshsig(deed, body.as_bytes()).unwrap();
        line.body = Base64::encode_string(body.as_bytes());
    };
    let first = self::forge(&header, &lines[..1], 0, founded);
    assert_eq!((first.0, first.1, first.2.as_str()), (false, None, "header"));
}
