//! The floors of the house, read from the real sources: what may import what, which crate belongs where, who may make a capability.
//!
//! A failure names the file, what stands there, and what to do instead. Each rule is proven by a wrong source in `floors/wrong.rs`.

mod circles;
mod form;
mod paths;
mod rules;
pub mod source;
mod wrong;

use source::Tree;

fn assert_quiet(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}: {} found\n\n  {}\n", found.len(), found.join("\n\n  "));
}

#[test]
fn imports_go_downwards_only() {
    assert_quiet("imports go downwards only (DESIGN, table of the floors)", &rules::imports(&Tree::read()));
}

#[test]
fn crates_stay_inside_their_fence() {
    assert_quiet("crates stay inside their fence", &rules::fences(&Tree::read()));
}

#[test]
fn every_dependency_has_a_fence() {
    assert_quiet("every dependency has a line in the table of fences", &rules::unfenced(&source::manifest()));
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    assert_quiet("no circles", &circles::circles(&Tree::read()));
}

#[test]
fn capabilities_are_made_only_by_their_makers() {
    assert_quiet("capabilities are made only by their makers", &rules::makers(&Tree::read()));
    assert_quiet("capabilities cannot be forged", &rules::forgeable(&Tree::read()));
}

#[test]
fn every_file_has_the_form_of_the_house() {
    assert_quiet("form of a file", &form::form(&Tree::everything()));
}

#[test]
fn the_test_reads_the_real_sources() {
    let tree = Tree::read();
    let uses: usize = tree.sources.iter().map(|source| paths::paths(&tree, source).len()).sum();
    assert!(tree.sources.iter().any(|source| source.path == "src/model/deed.rs"), "src/model/deed.rs was not read");
    assert!(uses > 100, "only {uses} paths were seen in the whole tree: the reader is blind");
}
