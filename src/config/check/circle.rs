//! Services that depend on each other in a circle.

use std::collections::BTreeMap;

use super::super::node::{Node, Value};
use super::super::problem::{At, Findings};
use super::{list_of, text_of};

/// The most circles that are told in one load.
const MOST: usize = 20;

/// Notes each circle of `depends_on` once, named in full.
pub(super) fn refuse(services: &[Node], found: &mut Findings) {
    let mut left: BTreeMap<&str, Vec<(&str, At)>> = BTreeMap::new();
    let mut order = Vec::new();
    for node in services {
        let Some(name) = text_of(node, "name") else { continue };
        let needs = list_of(node, "depends_on").iter().filter_map(|item| match &item.value {
            Value::Text(text) => Some((text.as_ref(), item.at)),
            Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => None,
        });
        let needs: Vec<_> = needs.collect();
        // What needs nothing is in no circle.
        if !needs.is_empty() {
            left.insert(name, needs);
            order.push(name);
        }
    }
    prune(&mut left);
    let mut told = 0;
    for start in order {
        if told == MOST {
            return;
        }
        if let Some(circle) = circle_from(start, &left) {
            let (first, at) = circle.first().copied().unwrap_or((start, At::default()));
            let names: Vec<&str> = circle.iter().map(|(name, _)| *name).chain([first]).collect();
            found.problem(at, &format!("services depend on each other in a circle: {}", names.join(" -> ")), "no circle");
            told += 1;
            for name in names {
                left.remove(name);
            }
            prune(&mut left);
        }
    }
}

/// Takes away what needs nothing that is left, until each that is left needs another: then each leads into a circle.
fn prune(left: &mut BTreeMap<&str, Vec<(&str, At)>>) {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    for (name, needs) in &*left {
        let needs = needs.iter().filter(|(need, _)| left.contains_key(need));
        let mut count = 0;
        for (need, _) in needs {
            users.entry((*need).to_owned()).or_default().push((*name).to_owned());
            count += 1;
        }
        open.insert((*name).to_owned(), count);
    }
    let mut free: Vec<String> = open.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name.clone()).collect();
    while let Some(name) = free.pop() {
        left.remove(name.as_str());
        for user in users.remove(&name).unwrap_or_default() {
            if let Some(count) = open.get_mut(&user) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    free.push(user);
                }
            }
        }
    }
}

/// The circle that one comes into from `start`: each service with the place at which it names the next.
fn circle_from<'a>(start: &'a str, left: &BTreeMap<&'a str, Vec<(&'a str, At)>>) -> Option<Vec<(&'a str, At)>> {
    let mut path: Vec<(&str, At)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut name = start;
    loop {
        if let Some(place) = places.get(name) {
            return path.get(*place..).map(<[_]>::to_vec);
        }
        let (next, at) = left.get(name)?.iter().find(|(need, _)| left.contains_key(need))?;
        places.insert(name, path.len());
        path.push((name, *at));
        name = next;
    }
}
