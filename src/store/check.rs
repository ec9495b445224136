//! The check of a ledger: a pure function of its lines, so that a copy anywhere can be checked without its store.

use std::num::NonZero;
use std::ops::Range as Span;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::checkpoint::Checkpoint;
use super::entry::{Entry, Told, read};
use super::form::is_line;
use super::record::Header;
use super::sign::{Signer, check_sshsig, origin, verifier};
use super::tree::{Range, leaf};
use crate::model::name;
use crate::model::text::Text;
use crate::ports::ledger::Verification;

/// Fewer lines than this are not worth a second thread.
const WORTH_A_THREAD: usize = 64;
/// Into how many parts a thread's share is cut.
const PARTS_A_THREAD: usize = 16;
/// More threads than this only wait for each other's memory.
const MOST_THREADS: usize = 16;

/// Checks a header, the lines under it (each without its newline) and, when one is given, a checkpoint.
///
/// `first_bad` is the lowest entry that fails by itself or whose leaf hash is not the next line's `prev`; when only the header or
/// the checkpoint fails it is none and the reason is `header` or `checkpoint`. A checkpoint of fewer entries than there are is
/// compared with the tree of that size.
pub fn verify_lines(header: &[u8], lines: &[impl AsRef<[u8]> + Sync], checkpoint: Option<&str>) -> Verification {
    let checked = Checked::of(header, lines);
    match (checked.verdict(), checkpoint) {
        (Ok(()), Some(note)) if checked.at(note).is_none() => checked.verification(Err((None, "checkpoint".to_owned()))),
        (verdict, _) => checked.verification(verdict),
    }
}

/// Where a record fails first (none: not in an entry), and why.
pub type Fault = (Option<u64>, String);

/// A header and its lines, read and checked.
pub struct Checked {
    head: Option<(Header, [u8; 32])>,
    founded: bool,
    told: Vec<Told>,
    bad: Option<(u64, &'static str)>,
}

impl Checked {
    /// Checks what can be checked without a checkpoint: each line by itself and the chain, then the signatures of what is left.
    pub fn of(header: &[u8], lines: &[impl AsRef<[u8]> + Sync]) -> Self {
        let head = read_header(header);
        let installation = head.as_ref().map(|(head, _)| head.installation.as_str());
        let told: Vec<Told> = spread(lines.len(), |span| {
            let first = span.start;
            let part = lines.get(span).unwrap_or_default();
            part.iter().zip(first..).map(|(line, n)| read(installation, number(n), line.as_ref())).collect::<Vec<_>>()
        })
        .into_iter()
        .flatten()
        .collect();
        let bad = lowest(&told, 0);
        let founded = head.as_ref().is_some_and(|(head, public)| is_founded(header, head, public, &told));
        Self { head, founded, told, bad }
    }

    /// Whether header, lines and signatures hold.
    ///
    /// # Errors
    /// The lowest entry that fails, or the header when only that does.
    pub fn verdict(&self) -> Result<(), Fault> {
        match self.bad {
            Some((n, why)) => Err((Some(n), why.to_owned())),
            None if self.founded => Ok(()),
            None => Err((None, "header".to_owned())),
        }
    }

    /// The number of entries for which a checkpoint of this ledger speaks; none when it is not one of this ledger's.
    pub fn at(&self, note: &str) -> Option<u64> {
        let (head, public) = self.head.as_ref()?;
        let said = Checkpoint::read(note, &head.origin, public)?;
        let told = self.told.get(..usize::try_from(said.size).ok()?)?;
        (told.iter().map(|told| told.leaf).collect::<Range>().root() == said.root).then_some(said.size)
    }

    /// Whether the process key signed these bytes in a namespace, by the newest signers.
    pub fn signed_by_process(&self, namespace: &str, message: &[u8], sig: &[u8]) -> bool {
        let newest = self.told.iter().rev().find_map(|told| told.entry.as_ref().ok()?.signers.as_ref());
        let (Some((head, _)), Some(signers)) = (&self.head, newest) else { return false };
        check_sshsig(signers, &principal(head), namespace, message, sig).is_ok()
    }

    /// The lines.
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// What is told to the outside.
    pub fn verification(&self, verdict: Result<(), Fault>) -> Verification {
        let entries = number(self.told.len());
        match verdict {
            Ok(()) => Verification { intact: true, entries, first_bad: None, reason: None },
            Err((first_bad, why)) => Verification { intact: false, entries, first_bad, reason: Some(Text::clean_within(&why, 300)) },
        }
    }
}

fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn principal(head: &Header) -> String {
    format!("process:{}", head.installation)
}

/// Whether the header stands above these lines: the first line names it, and the process key is the first signer.
fn is_founded(header: &[u8], head: &Header, public: &[u8; 32], told: &[Told]) -> bool {
    let Some(first) = told.first() else { return true };
    let signers = first.entry.as_ref().ok().and_then(|entry| entry.signers.as_ref());
    let signs = signers.is_some_and(|signers| signers.iter().any(|signer| signer.is(&principal(head), public)));
    signs && first.prev == Some(leaf(header))
}

fn read_header(bytes: &[u8]) -> Option<(Header, [u8; 32])> {
    let header: Header = serde_json::from_slice(bytes).ok()?;
    let public = verifier(&header.vkey)?;
    let named = header.vkey.strip_prefix(&header.origin)?.starts_with('+');
    let same = is_line(&header, bytes);
    let right = header.gonogo == "ledger/1" && name::check(&header.installation).is_ok() && header.origin == origin(&header.installation);
    (named && same && right).then_some((header, public))
}

/// The lowest line that fails, the chain looked at before the signatures; those of lines before `from` are known to hold.
fn lowest(told: &[Told], from: usize) -> Option<(u64, &'static str)> {
    let chained = chain(told);
    let left = chained.map_or(told.len(), |(n, _)| usize::try_from(n).unwrap_or(usize::MAX));
    signatures(told.get(..left).unwrap_or_default(), from).or(chained)
}

/// The lowest line that fails by itself, goes back in time, or is not the one that the next line names.
fn chain(told: &[Told]) -> Option<(u64, &'static str)> {
    let mut time = None;
    let below = told.iter().skip(1).map(Some).chain([None]);
    (0_u64..).zip(told.iter().zip(below)).find_map(|(n, (one, below))| {
        let entry = match &one.entry {
            Ok(entry) => entry,
            Err(why) => return Some((n, *why)),
        };
        if time.replace(entry.at).is_some_and(|before| entry.at < before) {
            return Some((n, "at: before the entry above"));
        }
        let named = below.and_then(|below| below.prev).is_none_or(|named| named == one.leaf);
        (!named).then_some((n, "chain: the next line names another one above it"))
    })
}

/// The lowest line from `from` on whose signature does not hold. All of them are entries.
fn signatures(told: &[Told], from: usize) -> Option<(u64, &'static str)> {
    let entries: Vec<&Entry> = told.iter().filter_map(|told| told.entry.as_ref().ok()).collect();
    let files = entries.iter().enumerate().filter_map(|(n, entry)| Some((n, entry.signers.as_deref()?)));
    let files: Vec<(usize, &[Signer])> = files.collect();
    let found = spread(entries.len().saturating_sub(from), |span| {
        let span = span.start + from..span.end + from;
        // Signed by whom the newest file above allows; the first one stands for itself.
        let above = files.partition_point(|(n, _)| *n < span.start.max(1));
        let mut signers = above.checked_sub(1).and_then(|newest| files.get(newest)).map(|(_, signers)| *signers).unwrap_or_default();
        let part = entries.get(span.clone()).unwrap_or_default();
        part.iter().zip(span.start..).find_map(|(entry, n)| {
            let checked = check_sshsig(signers, &entry.signer, entry.kind.namespace(), &entry.body, &entry.sig);
            signers = entry.signers.as_deref().unwrap_or(signers);
            checked.err().map(|why| (number(n), why))
        })
    });
    found.into_iter().flatten().next()
}

/// Does work on parts of `count` things on as many threads as the machine has, and returns the results in the order of the parts.
///
/// There are more parts than threads, so that a thread that another process keeps waiting does not keep the others waiting.
fn spread<T: Send>(count: usize, work: impl Fn(Span<usize>) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
    if count < WORTH_A_THREAD || threads == 1 {
        return vec![work(0..count)];
    }
    let part = count.div_ceil(threads.saturating_mul(PARTS_A_THREAD)).max(1);
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let start = next.fetch_add(part, Ordering::Relaxed);
            if start >= count {
                return done;
            }
            done.push((start, work(start..count.min(start.saturating_add(part)))));
        }
    };
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    done.sort_unstable_by_key(|(start, _)| *start);
    done.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
impl Checked {
    /// What would be bad if line `n` of a ledger that holds were another one. Every other line is as it was read, and signed.
    pub fn with_line(&mut self, installation: &str, n: usize, line: &[u8]) -> Option<(u64, &'static str)> {
        assert!(self.bad.is_none());
        let whole = std::mem::replace(&mut self.told[n], read(Some(installation), number(n), line));
        let bad = lowest(&self.told, n);
        self.told[n] = whole;
        bad
    }
}
