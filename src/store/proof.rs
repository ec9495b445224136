//! Proofs over the Merkle tree, as RFC 6962 section 2.1 defines them, and the texts that carry them.

use base64ct::{Base64, Encoding as _};

use super::tree::{Hash, Range};

/// The C2SP tlog-proof of entry `n` in the tree of these leaves; `note` is the tree's checkpoint. None when there is no such entry.
pub fn of_entry(leaves: &[Hash], n: u64, note: &str) -> Option<String> {
    let place = usize::try_from(n).ok().filter(|place| *place < leaves.len())?;
    Some(text(&format!("c2sp.org/tlog-proof@v1\nindex {n}\n"), &inclusion(leaves, place), note))
}

/// The proof that the tree of the first `from` leaves is the beginning of the tree of all, with the checkpoint of all. None when
/// there are fewer.
pub fn of_growth(leaves: &[Hash], from: u64, note: &str) -> Option<String> {
    let size = usize::try_from(from).ok().filter(|size| *size <= leaves.len())?;
    Some(text(&format!("old {from}\n"), &consistency(leaves, size), note))
}

fn text(head: &str, hashes: &[Hash], note: &str) -> String {
    let hashes: String = hashes.iter().map(|hash| Base64::encode_string(hash) + "\n").collect();
    format!("{head}{hashes}\n{note}")
}

fn root(leaves: &[Hash]) -> Hash {
    leaves.iter().copied().collect::<Range>().root()
}

/// The largest power of two that is smaller than the number of leaves, which is at least two.
fn half(leaves: &[Hash]) -> usize {
    leaves.len().div_ceil(2).next_power_of_two()
}

/// RFC 6962, 2.1.1: the audit path of the leaf at a place, from its sibling up.
fn inclusion(leaves: &[Hash], place: usize) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(half(leaves));
    let (mut path, sibling) = match place.checked_sub(left.len()) {
        None => (inclusion(left, place), root(right)),
        Some(place) => (inclusion(right, place), root(left)),
    };
    path.push(sibling);
    path
}

/// RFC 6962, 2.1.2: from the tree of the first `size` leaves to the tree of all.
fn consistency(leaves: &[Hash], size: usize) -> Vec<Hash> {
    if size == 0 { Vec::new() } else { subproof(leaves, size, true) }
}

/// `whole`: the tree of the first `size` leaves is the one that the reader knows.
fn subproof(leaves: &[Hash], size: usize, whole: bool) -> Vec<Hash> {
    if size >= leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(half(leaves));
    let (mut path, beside) = match size.checked_sub(left.len()) {
        None | Some(0) => (subproof(left, size, whole), root(right)),
        Some(size) => (subproof(right, size, false), root(left)),
    };
    path.push(beside);
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tree::{leaf, node};
    use proptest::prelude::*;

    /// RFC 9162, 2.1.3.2: the verifier's side of an audit path.
    fn leads(path: &[Hash], mut place: usize, size: usize, leaf: Hash, root: Hash) -> bool {
        if place >= size {
            return false;
        }
        let (mut last, mut hash) = (size - 1, leaf);
        for beside in path {
            if last == 0 {
                return false;
            }
            if place % 2 == 1 || place == last {
                hash = node(beside, &hash);
                while place.is_multiple_of(2) && place != 0 {
                    (place, last) = (place >> 1, last >> 1);
                }
            } else {
                hash = node(&hash, beside);
            }
            (place, last) = (place >> 1, last >> 1);
        }
        last == 0 && hash == root
    }

    /// RFC 9162, 2.1.4.2: the verifier's side of a consistency proof between trees of two sizes, the first not empty.
    fn grows(path: &[Hash], first: usize, second: usize, old: Hash, new: Hash) -> bool {
        if first == second {
            return path.is_empty() && old == new;
        }
        let mut path = path.to_vec();
        if first.is_power_of_two() {
            path.insert(0, old);
        }
        let Some((begin, rest)) = path.split_first() else { return false };
        let (mut place, mut last) = (first - 1, second - 1);
        while place % 2 == 1 {
            (place, last) = (place >> 1, last >> 1);
        }
        let (mut one, mut two) = (*begin, *begin);
        for beside in rest {
            if last == 0 {
                return false;
            }
            if place % 2 == 1 || place == last {
                (one, two) = (node(beside, &one), node(beside, &two));
                while place.is_multiple_of(2) && place != 0 {
                    (place, last) = (place >> 1, last >> 1);
                }
            } else {
                two = node(&two, beside);
            }
            (place, last) = (place >> 1, last >> 1);
        }
        last == 0 && one == old && two == new
    }

    fn hashes(size: usize) -> Vec<Hash> {
        (0..size).map(|n| leaf(n.to_string().as_bytes())).collect()
    }

    proptest! {
        #[test]
        fn a_path_leads_to_the_root_and_no_other_does(size in 1_usize..200, place in 0_usize..200, flip in 0_usize..2000) {
            let (leaves, place) = (hashes(size), place % size);
            let mut path = inclusion(&leaves, place);
            prop_assert!(leads(&path, place, size, leaves[place], root(&leaves)));
            prop_assert!(!leads(&path, place, size, leaf(b"another"), root(&leaves)));
            if !path.is_empty() {
                let (n, bit) = (flip / 256 % path.len(), flip % 256);
                path[n][bit / 8] ^= 1 << (bit % 8);
                prop_assert!(!leads(&path, place, size, leaves[place], root(&leaves)));
            }
        }

        #[test]
        fn growth_is_proven_and_a_rewritten_beginning_is_not(size in 1_usize..200, old in 1_usize..200, other in 0_usize..200) {
            let (leaves, old) = (hashes(size), 1 + (old - 1) % size);
            let path = consistency(&leaves, old);
            prop_assert!(grows(&path, old, size, root(&leaves[..old]), root(&leaves)));
            let mut rewritten = leaves.clone();
            rewritten[other % old] = leaf(b"another");
            let path = consistency(&rewritten, old);
            prop_assert!(!grows(&path, old, size, root(&leaves[..old]), root(&rewritten)));
        }
    }

    #[test]
    fn the_texts_have_the_form_of_their_specifications() {
        let leaves = hashes(5);
        let line = |hash: &Hash| Base64::encode_string(hash) + "\n";
        let (left, beside) = (root(&leaves[..4]), leaves[4]);
        let said = of_entry(&leaves, 4, "log\n5\nroot\n\n\u{2014} log sig\n").unwrap();
        assert_eq!(said, format!("c2sp.org/tlog-proof@v1\nindex 4\n{}\nlog\n5\nroot\n\n\u{2014} log sig\n", line(&left)));
        assert_eq!(of_growth(&leaves, 4, "note\n").unwrap(), format!("old 4\n{}\nnote\n", line(&beside)));
        assert_eq!(of_growth(&leaves, 0, "note\n").unwrap(), "old 0\n\nnote\n");
        assert_eq!(of_growth(&leaves, 5, "note\n").unwrap(), "old 5\n\nnote\n");
        assert_eq!((of_entry(&leaves, 5, ""), of_growth(&leaves, 6, ""), of_entry(&[], 0, "")), (None, None, None));
    }
}
