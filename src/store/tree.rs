//! The Merkle tree over the ledger's lines, hashed as RFC 6962 says, kept as the few roots of its full subtrees.

use sha2::{Digest as _, Sha256};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The hash of a leaf: the byte 0 before the line.
pub fn leaf(line: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(line).finalize().into()
}

/// The hash of a node: the byte 1 before its two children.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// A tree as the roots of its full subtrees, the largest first: one for each 1 in the binary form of its size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Range {
    size: u64,
    roots: Vec<Hash>,
}

impl Range {
    /// Takes a stored range; none when the bytes do not fit the size.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let roots: Vec<Hash> = bytes.chunks(32).map(Hash::try_from).collect::<Result<_, _>>().ok()?;
        (roots.len() == usize::try_from(size.count_ones()).ok()?).then_some(Self { size, roots })
    }

    /// The bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.roots.concat()
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf in O(log n).
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut size = self.size;
        while size & 1 == 1 {
            if let Some(left) = self.roots.pop() {
                hash = node(&left, &hash);
            }
            size >>= 1;
        }
        self.roots.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root hash; of the empty tree the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        match roots.next() {
            Some(last) => roots.fold(*last, |right, left| node(left, &right)),
            None => Sha256::digest([]).into(),
        }
    }
}

impl FromIterator<Hash> for Range {
    fn from_iter<T: IntoIterator<Item = Hash>>(leaves: T) -> Self {
        let mut range = Self::default();
        leaves.into_iter().for_each(|leaf| range.push(leaf));
        range
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition of RFC 6962 section 2.1, word by word.
    fn by_definition(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [one] => leaf(one),
            _ => {
                let mut split = 1;
                while split * 2 < leaves.len() {
                    split *= 2;
                }
                node(&by_definition(&leaves[..split]), &by_definition(&leaves[split..]))
            }
        }
    }

    #[test]
    fn the_empty_tree_has_the_hash_of_nothing() {
        assert_eq!(Range::default().root(), by_definition(&[]));
    }

    proptest! {
        #[test]
        fn the_range_gives_the_root_of_the_definition(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 0..70)) {
            let range: Range = leaves.iter().map(|line| leaf(line)).collect();
            prop_assert_eq!(range.root(), by_definition(&leaves));
            prop_assert_eq!(Range::from_bytes(range.size(), &range.to_bytes()), Some(range.clone()));
            prop_assert_eq!(Range::from_bytes(range.size() + 1, &range.to_bytes()).is_some(), (range.size() + 1).count_ones() == range.size().count_ones());
        }
    }
}
