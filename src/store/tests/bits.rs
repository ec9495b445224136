//! Turned bits of an export: each is found, and at its place.

use std::collections::BTreeSet;
use std::ops::Range as Span;

use base64ct::Encoding as _;

use super::export::{exported, lines, verify};
use super::*;
use crate::ports::ledger::Ledger as _;
use crate::store::check::Checked;
use crate::store::record::Line;

/// What verify must say of a file of which one bit was turned: the place, and the words with which the reason begins.
fn expected(file: &[u8], at: usize, flipped: &[u8]) -> Vec<(Option<u64>, &'static str)> {
    let line = file[..at].split(|byte| *byte == b'\n').count() - 1;
    let last = lines(file).len() - 1;
    let n = |line: usize| Some(u64::try_from(line).unwrap() - 1);
    let (newline, made) = (file[at] == b'\n', flipped[at] == b'\n');
    match line {
        // Without its own line the header has nothing to stand on, and what was entry 1 stands in the place of entry 0.
        0 if newline || made => vec![(Some(0), "")],
        0 => vec![(None, "header")],
        _ if line == last => vec![(None, "checkpoint")],
        _ if newline || made => vec![(n(line), "bytes")],
        _ => expected_of_line(line, last, lines(file)[line], lines(flipped)[line]),
    }
}

/// The same of an entry's line of which a bit was turned within it.
fn expected_of_line(line: usize, last: usize, whole: &[u8], changed: &[u8]) -> Vec<(Option<u64>, &'static str)> {
    let n = |line: usize| Some(u64::try_from(line).unwrap() - 1);
    let prev = |line: &[u8]| serde_json::from_slice::<Line>(line).ok().map(|line| line.prev);
    let accuses = prev(changed).filter(|named| base64ct::Base64::decode_vec(named).is_ok_and(|hash| hash.len() == 32));
    if accuses.is_some_and(|named| Some(named) != prev(whole)) && line > 1 {
        return vec![(n(line - 1), "chain")];
    }
    let by_itself = (n(line), "");
    if line + 1 == last { vec![by_itself, (None, "checkpoint")] } else { vec![by_itself] }
}

/// Turns bits of a file one at a time and looks whether each is found where it is.
fn turn(file: &[u8], places: Span<usize>, bits: impl Fn(usize) -> Vec<u8>) -> usize {
    let mut turned = 0;
    let mut flipped = file.to_vec();
    for at in places {
        for bit in bits(at) {
            flipped[at] ^= 1 << bit;
            let found = verify(&flipped);
            let told = (found.first_bad, found.reason.map(|why| why.to_string()).unwrap_or_default());
            let right = expected(file, at, &flipped).iter().any(|(n, why)| *n == told.0 && told.1.starts_with(why));
            assert!(!found.intact && right, "bit {bit} of byte {at}: {told:?}, expected {:?}", expected(file, at, &flipped));
            flipped[at] = file[at];
            turned += 1;
        }
    }
    turned
}

/// Turns every bit of a line that is not the closing one, and of its newline.
fn turn_line(file: &[u8], all: &[&[u8]], line: usize, whole: &mut Checked) -> usize {
    let start: usize = all[..line].iter().map(|line| line.len() + 1).sum();
    let (mut turned, mut changed) = (0, all[line].to_vec());
    for at in 0..=all[line].len() {
        for bit in 0..8 {
            turned += 1;
            let moved = at == all[line].len() || changed[at] ^ (1 << bit) == b'\n';
            if line == 0 || moved {
                turn(file, start + at..start + at + 1, |_| vec![bit]);
                continue;
            }
            changed[at] ^= 1 << bit;
            let found = whole.with_line("test", line - 1, &changed);
            let expected = expected_of_line(line, all.len() - 1, all[line], &changed);
            changed[at] ^= 1 << bit;
            let Some((n, why)) = found else {
                // Nothing but the root of the tree can tell: then it must.
                turn(file, start + at..start + at + 1, |_| vec![bit]);
                continue;
            };
            let right = expected.iter().any(|(wanted, begins)| *wanted == Some(n) && why.starts_with(begins));
            assert!(right, "bit {bit} of byte {at} in line {line}: {n} {why}, expected {expected:?}");
        }
    }
    turned
}

/// The header, the closing line, and one entry of each kind, with their newlines.
fn one_of_a_kind(file: &[u8]) -> Vec<Span<usize>> {
    let (mut start, mut kinds, mut spans) = (0, BTreeSet::new(), Vec::new());
    for line in lines(file) {
        let end = start + line.len() + 1;
        let kind = serde_json::from_slice::<Line>(line).map_or_else(|_| line[..6].to_vec(), |line| line.kind.word().into());
        if kinds.insert(kind) {
            spans.push(start..end);
        }
        start = end;
    }
    spans
}

#[tokio::test]
async fn a_turned_bit_in_each_kind_of_line_is_found_at_its_place() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (_, file) = exported(dir.path(), &clock).await;
    assert!(verify(&file).intact);
    let spans = one_of_a_kind(&file);
    assert!(spans.len() >= 13, "{}", spans.len());
    // One bit of every third byte, another one from byte to byte; all of them: the next test.
    let (one, two) = spans.split_at(spans.len() / 2);
    let run = |spans: &[Span<usize>]| -> usize {
        spans
            .iter()
            .map(|span| turn(&file, span.clone(), |at| if at % 3 == 0 { vec![u8::try_from(at / 3 % 8).unwrap()] } else { Vec::new() }))
            .sum()
    };
    let turned = std::thread::scope(|scope| {
        let other = scope.spawn(|| run(one));
        run(two) + other.join().unwrap()
    });
    assert!(turned > 1_500, "{turned}");
    // The closing line stands under nothing that would cover it: all of its bits.
    let closing = file.len() - lines(&file).last().unwrap().len() - 1;
    turn(&file, closing..file.len(), |_| (0..8).collect());
}

/// `cargo test --release --lib every_bit_of_an_export -- --ignored`
///
/// A turned bit leaves the other lines as they are, and with them their signatures: so only what it changes is looked at again, the
/// tree before the signatures. Where a line begins or ends elsewhere, in the header and in the closing line, all is looked at.
#[tokio::test]
#[ignore = "takes minutes"]
async fn every_bit_of_an_export_of_200_entries_counts() {
    let entries = 200;
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (store, mut file) = exported(dir.path(), &clock).await;
    while lines(&file).len() < entries + 2 {
        let note = plan(&clock, Verb::Note, &file.len().to_string());
        store.begin(&note, &yes(note.id)).await.unwrap();
        file = store.export(None).await.unwrap();
    }
    let all = lines(&file);
    let (header, closing) = (all[0], all.len() - 1);
    let part = closing.div_ceil(2);
    let run = |from: usize| {
        let mut whole = Checked::of(header, &all[1..closing]);
        (from..closing.min(from + part).max(from)).map(|line| turn_line(&file, &all, line, &mut whole)).sum::<usize>()
    };
    let turned = std::thread::scope(|scope| {
        let other = scope.spawn(|| run(0));
        run(part) + other.join().unwrap()
    });
    let end = file.len() - all[closing].len() - 1;
    let turned = turned + turn(&file, end..file.len(), |_| (0..8).collect());
    assert_eq!(turned, file.len() * 8);
}
