//! The difference between two JSON values, small and readable, and how it is put on again.
//!
//! A patch is: a number, text, boolean or null (the new value); `{"=": value}` (the new value whole); an object (each key's patch; what
//! went is listed under `-`); or, for a list, an array of steps from its front: `n` keeps that many elements, `-n` drops them, an array
//! puts its elements in, an object is the patch of the next element.

use serde_json::{Map, Value, json};

/// Members by which an element of a list is known again, the first that it has.
const IDENTITIES: [&str; 7] = ["id", "request", "fingerprint", "n", "plan", "number", "name"];
/// Elements that are looked ahead for one that moved.
const AHEAD: usize = 64;
/// Members that mean something in a patch, so that an object with one of them is never patched.
const RESERVED: [&str; 2] = ["=", "-"];

/// What makes `new` of `old`; none when they are equal.
pub fn difference(old: &Value, new: &Value) -> Option<Value> {
    if old == new {
        return None;
    }
    Some(match (old, new) {
        (Value::Object(old), Value::Object(new)) if RESERVED.iter().all(|key| !old.contains_key(*key) && !new.contains_key(*key)) => {
            of_objects(old, new)
        }
        (Value::Array(old), Value::Array(new)) => of_lists(old, new),
        (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => new.clone(),
        (_, Value::Array(_) | Value::Object(_)) => json!({ "=": new }),
    })
}

fn of_objects(old: &Map<String, Value>, new: &Map<String, Value>) -> Value {
    let mut patch = Map::new();
    for (key, value) in new {
        match old.get(key) {
            Some(before) => patch.extend(difference(before, value).map(|part| (key.clone(), part))),
            None => patch.extend(Some((key.clone(), json!({ "=": value })))),
        }
    }
    let gone: Vec<_> = old.keys().filter(|key| !new.contains_key(*key)).cloned().collect();
    if !gone.is_empty() {
        patch.insert("-".to_owned(), Value::from(gone));
    }
    Value::Object(patch)
}

/// Steps under way: equal kinds that follow each other become one.
#[derive(Default)]
struct Steps(Vec<Value>);

impl Steps {
    fn count(&mut self, by: i64) {
        match self.0.last_mut() {
            Some(last) if last.as_i64().is_some_and(|n| (n < 0) == (by < 0)) => *last = Value::from(last.as_i64().unwrap_or(0) + by),
            _ => self.0.push(Value::from(by)),
        }
    }

    fn put(&mut self, value: &Value) {
        match self.0.last_mut() {
            Some(Value::Array(values)) => values.push(value.clone()),
            _ => self.0.push(json!([value])),
        }
    }

    fn pair(&mut self, old: &Value, new: &Value) {
        match difference(old, new) {
            None => self.count(1),
            Some(patch @ Value::Object(_)) => self.0.push(patch),
            Some(_) => self.0.push(json!({ "=": new })),
        }
    }
}

fn of_lists(old: &[Value], new: &[Value]) -> Value {
    let (mut old, mut new) = (old, new);
    let mut steps = Steps::default();
    while let (Some((a, rest_of_old)), Some((b, rest_of_new))) = (old.split_first(), new.split_first()) {
        if is_same(a, b) {
            steps.pair(a, b);
            (old, new) = (rest_of_old, rest_of_new);
            continue;
        }
        let gone = rest_of_old.iter().take(AHEAD).position(|one| is_same(one, b));
        let come = rest_of_new.iter().take(AHEAD).position(|one| is_same(a, one));
        if gone.is_some_and(|gone| come.is_none_or(|come| gone <= come)) {
            steps.count(-1);
            old = rest_of_old;
        } else if come.is_some() {
            steps.put(b);
            new = rest_of_new;
        } else {
            steps.0.push(json!({ "=": b }));
            (old, new) = (rest_of_old, rest_of_new);
        }
    }
    for _ in old {
        steps.count(-1);
    }
    for value in new {
        steps.put(value);
    }
    Value::Array(steps.0)
}

/// Whether two elements are the same thing, perhaps changed.
fn is_same(old: &Value, new: &Value) -> bool {
    let known = |value: &Value| IDENTITIES.iter().find_map(|key| Some((*key, value.get(*key)?.clone())));
    match (known(old), known(new)) {
        (Some(old), Some(new)) => old == new,
        _ => old == new,
    }
}

/// Puts a patch on a value; none when it does not fit.
pub fn patched(old: Value, patch: &Value) -> Option<Value> {
    match (old, patch) {
        (_, Value::Object(patch)) if patch.contains_key("=") => patch.get("=").cloned(),
        (Value::Object(mut object), Value::Object(patch)) => {
            for (key, part) in patch.iter().filter(|(key, _)| *key != "-") {
                let before = object.get_mut(key).map(Value::take).unwrap_or_default();
                object.insert(key.clone(), patched(before, part)?);
            }
            for gone in patch.get("-").and_then(Value::as_array).into_iter().flatten() {
                object.shift_remove(gone.as_str()?);
            }
            Some(Value::Object(object))
        }
        (Value::Array(old), Value::Array(steps)) => on_list(old, steps),
        (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => Some(patch.clone()),
        (_, Value::Array(_) | Value::Object(_)) => None,
    }
}

fn on_list(old: Vec<Value>, steps: &[Value]) -> Option<Value> {
    let mut old = old.into_iter();
    let mut new = Vec::new();
    for step in steps {
        match step {
            Value::Number(count) => {
                let count = count.as_i64()?;
                for _ in 0..count.unsigned_abs() {
                    let one = old.next()?;
                    if count > 0 {
                        new.push(one);
                    }
                }
            }
            Value::Array(values) => new.extend(values.iter().cloned()),
            Value::Object(_) => new.push(patched(old.next()?, step)?),
            Value::Null | Value::Bool(_) | Value::String(_) => return None,
        }
    }
    // Every element of the old list is spoken of.
    old.next().is_none().then_some(Value::Array(new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_counter_that_moved_costs_its_own_words_only() {
        let old = json!({"servers": [{"name": "a", "requests": 1}, {"name": "b", "requests": 5}, {"name": "c", "requests": 0}]});
        let new = json!({"servers": [{"name": "a", "requests": 1}, {"name": "b", "requests": 9}, {"name": "c", "requests": 0}]});
        assert_eq!(difference(&old, &new), Some(json!({"servers": [1, {"requests": 9}, 1]})));
    }

    #[test]
    fn a_new_first_and_a_dropped_last_do_not_rewrite_the_list() {
        let run = |id: u32, state: &str| json!({"id": id, "state": state});
        let old = json!([run(3, "running"), run(2, "passed"), run(1, "passed")]);
        let new = json!([run(4, "queued"), run(3, "passed"), run(2, "passed")]);
        assert_eq!(difference(&old, &new), Some(json!([[run(4, "queued")], {"state": "passed"}, 1, -1])));
    }

    #[test]
    fn a_patch_that_does_not_fit_is_refused_and_not_guessed() {
        assert_eq!(patched(json!([1]), &json!([2])), None);
        assert_eq!(patched(json!([1, 2]), &json!([1])), None);
        assert_eq!(patched(json!(1), &json!([1])), None);
        assert_eq!(patched(json!([1]), &json!([null])), None);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3_i64..3).prop_map(Value::from),
            "[a=-]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("id|name|=|-|a", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_taken_apart_comes_together_again(old in value(), new in value()) {
            let made = match difference(&old, &new) {
                None => old.clone(),
                Some(patch) => patched(old.clone(), &patch).expect("the patch fits what it was made for"),
            };
            prop_assert_eq!(made, new);
        }

        #[test]
        fn no_patch_makes_it_panic(old in value(), patch in value()) {
            let _ = patched(old, &patch);
        }
    }
}
