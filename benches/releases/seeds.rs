//! Many seeds on the cores that are free, in the order of the seeds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// What comes of each of so many seeds from `first` on.
pub fn over<T: Send>(first: u64, runs: u64, of: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let (next, cores) = (AtomicU64::new(first), thread::available_parallelism().map_or(1, usize::from));
    let work = || {
        let mut done = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + runs {
                return done;
            }
            done.push((seed, of(seed)));
        }
    };
    let mut all: Vec<(u64, T)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a run")).collect()
    });
    all.sort_by_key(|(seed, _)| *seed);
    all.into_iter().map(|(_, found)| found).collect()
}
