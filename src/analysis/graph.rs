//! Who uses whom as a graph: an order in which providers come first, circles, everybody behind a node, and the longest chain.

use std::collections::BTreeSet;

/// A directed graph from users to those that they use; nodes are numbers from 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    uses: Vec<BTreeSet<usize>>,
    users: Vec<BTreeSet<usize>>,
    /// The parts in which each node is behind each other, providers first.
    parts: Vec<Vec<usize>>,
    part_of: Vec<usize>,
}

impl Graph {
    /// A graph of so many nodes. Edges lead from a user to the one that it uses; those of a node to itself, or of no node, are left out.
    pub fn new(nodes: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut graph = Self { uses: vec![BTreeSet::new(); nodes], users: vec![BTreeSet::new(); nodes], ..Self::default() };
        for (user, used) in edges.into_iter().filter(|(user, used)| user != used) {
            if let (true, Some(uses)) = (used < nodes, graph.uses.get_mut(user)) {
                uses.insert(used);
                graph.users.get_mut(used).map(|users| users.insert(user));
            }
        }
        graph.parts = parts(&graph.uses);
        graph.part_of = vec![0; nodes];
        for (number, part) in graph.parts.iter().enumerate() {
            for node in part {
                if let Some(place) = graph.part_of.get_mut(*node) {
                    *place = number;
                }
            }
        }
        graph
    }

    /// How many nodes it has.
    pub fn len(&self) -> usize {
        self.uses.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.uses.is_empty()
    }

    /// Those that a node uses.
    pub fn uses(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.uses.get(node).into_iter().flatten().copied()
    }

    /// Those that use a node.
    pub fn users(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.users.get(node).into_iter().flatten().copied()
    }

    /// Everybody that uses a node, also through others; never the node itself.
    pub fn all_users(&self, node: usize) -> BTreeSet<usize> {
        behind(&self.users, node)
    }

    /// Everybody that a node uses, also through others; never the node itself.
    pub fn all_used(&self, node: usize) -> BTreeSet<usize> {
        behind(&self.uses, node)
    }

    /// Circles: nodes that use each other, perhaps through others.
    pub fn circles(&self) -> impl Iterator<Item = &[usize]> {
        self.parts.iter().filter(|part| part.len() > 1).map(Vec::as_slice)
    }

    /// All nodes, providers first: by the longest way to one that uses nobody, then by number. Those of one circle stand together.
    pub fn order(&self) -> Vec<usize> {
        let mut levels: Vec<usize> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let below = self.below(part).filter_map(|below| levels.get(below)).max();
            levels.push(below.map_or(0, |level| level + 1));
        }
        let mut order: Vec<&Vec<usize>> = self.parts.iter().collect();
        order.sort_by_key(|part| {
            let first = part.first().copied().unwrap_or(0);
            (self.part_of.get(first).and_then(|number| levels.get(*number)).copied().unwrap_or(0), first)
        });
        order.into_iter().flatten().copied().collect()
    }

    /// The chain that takes longest when each node waits for all that it uses, also through others, with its sum. `weights` are of nodes;
    /// what weighs nothing is no link of the chain. Those of a circle wait for each other, so all of them are in it.
    pub fn longest(&self, weights: &[u64]) -> (Vec<usize>, u64) {
        let weight = |node: &usize| weights.get(*node).copied().unwrap_or(0);
        let mut best: Vec<(u64, Option<usize>)> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let own: u64 = part.iter().map(weight).fold(0, u64::saturating_add);
            let below = self.below(part).filter_map(|below| Some((best.get(below)?.0, std::cmp::Reverse(below)))).max();
            let (sum, before) = below.map_or((0, None), |(sum, below)| (sum, Some(below.0).filter(|_| sum > 0)));
            best.push((own.saturating_add(sum), before));
        }
        let most = best.iter().enumerate().max_by_key(|(number, (sum, _))| (*sum, std::cmp::Reverse(*number)));
        let Some((last, sum)) = most.map(|(number, (sum, _))| (number, *sum)).filter(|(_, sum)| *sum > 0) else { return (Vec::new(), 0) };
        let (mut chain, mut at) = (Vec::new(), Some(last));
        while let Some(number) = at {
            chain.push(number);
            at = best.get(number).and_then(|(_, before)| *before);
        }
        let nodes = chain.into_iter().rev().filter_map(|number| self.parts.get(number)).flatten().copied();
        (nodes.filter(|node| weight(node) > 0).collect(), sum)
    }

    /// The parts that nodes of a part use.
    fn below<'a>(&'a self, part: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
        let own = part.first().and_then(|node| self.part_of.get(*node));
        part.iter()
            .flat_map(|node| self.uses(*node))
            .filter_map(|used| self.part_of.get(used))
            .filter(move |part| Some(*part) != own)
            .copied()
    }
}

fn behind(next: &[BTreeSet<usize>], node: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![node];
    while let Some(at) = open.pop() {
        open.extend(next.get(at).into_iter().flatten().copied().filter(|further| found.insert(*further)));
    }
    found.remove(&node);
    found
}

/// The strongly connected parts, each in order of numbers, those that are used before their users: Tarjan's algorithm without recursion
/// (R. Tarjan, Depth-first search and linear graph algorithms, SIAM J. Comput. 1, 1972).
fn parts(next: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let count = next.len();
    let (mut index, mut low, mut on_stack) = (vec![NEW; count], vec![0; count], vec![false; count]);
    let (mut stack, mut found, mut counter) = (Vec::new(), Vec::new(), 0);
    let at = |list: &[usize], node: usize| list.get(node).copied().unwrap_or(0);
    let put = |list: &mut [usize], node: usize, value: usize| {
        if let Some(place) = list.get_mut(node) {
            *place = value;
        }
    };
    let mark = |list: &mut [bool], node: usize, value: bool| {
        if let Some(place) = list.get_mut(node) {
            *place = value;
        }
    };
    for root in 0..count {
        if at(&index, root) != NEW {
            continue;
        }
        let mut work: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut entered = Some(root);
        loop {
            if let Some(node) = entered.take() {
                put(&mut index, node, counter);
                put(&mut low, node, counter);
                counter += 1;
                stack.push(node);
                mark(&mut on_stack, node, true);
                work.push((node, next.get(node).into_iter().flatten().rev().copied().collect()));
            }
            let Some((node, open)) = work.last_mut() else { break };
            let node = *node;
            if let Some(further) = open.pop() {
                if at(&index, further) == NEW {
                    entered = Some(further);
                } else if on_stack.get(further).copied().unwrap_or(false) {
                    let lower = at(&low, node).min(at(&index, further));
                    put(&mut low, node, lower);
                }
                continue;
            }
            work.pop();
            if let Some((above, _)) = work.last() {
                let lower = at(&low, *above).min(at(&low, node));
                put(&mut low, *above, lower);
            }
            if at(&low, node) == at(&index, node) {
                let start = stack.iter().rposition(|other| *other == node).unwrap_or(0);
                let mut part = stack.split_off(start);
                for member in &part {
                    mark(&mut on_stack, *member, false);
                }
                part.sort_unstable();
                found.push(part);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 vault, 1 ledger, 2 stock, 3 checkout, 4 web; 5 and 6 use each other, and 5 uses the vault.
    fn shop() -> Graph {
        Graph::new(7, [(1, 0), (3, 1), (3, 2), (4, 3), (5, 6), (6, 5), (5, 0), (2, 2), (9, 0), (0, 9)])
    }

    #[test]
    fn providers_come_before_their_users_and_circles_stand_together() {
        let graph = shop();
        let order = graph.order();
        assert_eq!(order, [0, 2, 1, 5, 6, 3, 4]);
        assert_eq!(graph.circles().collect::<Vec<_>>(), [&[5, 6]]);
    }

    #[test]
    fn everybody_behind_a_node_is_found_once_and_never_itself() {
        let graph = shop();
        assert_eq!(graph.all_users(0), [1, 3, 4, 5, 6].into());
        assert_eq!(graph.all_used(4), [0, 1, 2, 3].into());
        assert_eq!(graph.all_users(5), [6].into());
        assert_eq!(graph.users(0).collect::<Vec<_>>(), [1, 5]);
    }

    #[test]
    fn the_longest_chain_is_a_sum_and_goes_through_what_weighs_nothing() {
        let graph = shop();
        let (chain, sum) = graph.longest(&[10, 0, 9, 5, 1, 0, 0]);
        assert_eq!((chain, sum), (vec![0, 3, 4], 16), "the ledger weighs nothing and still lies between");
        assert_eq!(graph.longest(&[0, 0, 0, 0, 0, 7, 8]), (vec![5, 6], 15), "those of a circle wait for each other");
        assert_eq!(graph.longest(&[0; 7]), (Vec::new(), 0));
        assert_eq!(Graph::default().longest(&[]), (Vec::new(), 0));
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let graph = Graph::new(100_000, (1..100_000).map(|node| (node, node - 1)));
        assert_eq!(graph.order().first(), Some(&0));
        assert_eq!(graph.longest(&vec![1; 100_000]).1, 100_000);
    }
}
