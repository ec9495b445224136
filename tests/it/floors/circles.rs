//! Circles of imports between files: inside one crate the compiler allows them, so this does not.
//!
//! `foo.rs` and the files of `foo/` are one module in several files: a child may use what its parent holds, and the parent the child.
//! Between siblings, cousins and strangers every circle counts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::paths::{Leads, paths};
use super::source::Tree;

type Module = Vec<String>;

/// The shortest circle through each file that stands in one.
pub fn circles(tree: &Tree) -> Vec<String> {
    let mut edges: BTreeMap<Module, BTreeMap<Module, String>> = BTreeMap::new();
    for source in &tree.sources {
        for mention in paths(tree, source) {
            let Leads::Inside(words) = &mention.leads else { continue };
            let target = tree.file_of(words).to_vec();
            if !source.module.starts_with(&target) {
                edges.entry(source.module.clone()).or_default().entry(target).or_insert(mention.written);
            }
        }
    }
    let mut told: BTreeSet<Module> = BTreeSet::new();
    let mut found = Vec::new();
    for start in edges.keys() {
        if told.contains(start) {
            continue;
        }
        if let Some(circle) = shortest(&edges, start) {
            let hops = circle.iter().zip(circle.iter().cycle().skip(1));
            let hops = hops.map(|(from, to)| format!("{} -> {} (by `{}`)", name(from), name(to), edges[from][to]));
            found.push(format!(
                "{}\n    break it: move what both need into a file of its own below them, or pass it in as an argument",
                hops.collect::<Vec<_>>().join("\n  ")
            ));
            told.extend(circle);
        }
    }
    found
}

fn shortest(edges: &BTreeMap<Module, BTreeMap<Module, String>>, start: &Module) -> Option<Vec<Module>> {
    let mut before: BTreeMap<&Module, &Module> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for next in edges.get(at).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut circle = vec![at.clone()];
                let mut step = at;
                while step != start {
                    step = before[step];
                    circle.push(step.clone());
                }
                circle.reverse();
                return Some(circle);
            }
            if !before.contains_key(next) {
                before.insert(next, at);
                queue.push_back(next);
            }
        }
    }
    None
}

fn name(module: &Module) -> String {
    module.join("::")
}
