//! A flag's definition in flagd's file: what it says of who gets the flag, and the same set otherwise.

use serde_json::{Map, Value, json};

use super::super::digest;
use crate::model::flag::{FlagMark, FlagState};
use crate::model::share::Percent;
use crate::model::text::Text;

/// The member of a flag's metadata that shows which definition flagd took in.
pub(super) const MARKER: &str = "gonogo";

/// The one variant that is true and the one that is false.
struct Variants {
    on: String,
    off: String,
}

/// How a flag stands by the file, and its marker, where it has one.
///
/// # Errors
/// Why that cannot be said.
pub(super) fn read(file: &Value, name: &str) -> Result<(FlagState, Option<String>), String> {
    let flag = file.get("flags").and_then(Value::as_object).ok_or("its file keeps its flags not by name")?;
    let flag = flag.get(name).and_then(Value::as_object).ok_or_else(|| "its file has no such flag".to_owned())?;
    let on = match flag.get("state").and_then(Value::as_str) {
        Some("ENABLED") => true,
        Some("DISABLED") => false,
        Some(_) | None => return Err("its file gives it no state".to_owned()),
    };
    let share = variants(flag).and_then(|variants| share(flag, &variants));
    let marker = flag.get("metadata").and_then(|metadata| metadata.get(MARKER)).and_then(Value::as_str).map(str::to_owned);
    let (percent, fixed) = match share {
        Ok(percent) => (Some(percent), None),
        Err(why) => (None, Some(Text::clean_within(&why, 300))),
    };
    let mark = FlagMark { on, percent, rest: rest(flag, percent.is_some()) };
    let targeting = flag.get("targeting").map(|rule| Text::clean_within(&format!("targeting {rule}"), 300));
    let default = flag.get("defaultVariant").map(|default| Text::clean_within(&format!("default {default}"), 100));
    let strategies = targeting.into_iter().chain(default).collect();
    Ok((FlagState { mark, strategies, fixed, stale: false, changed: None }, marker))
}

fn variants(flag: &Map<String, Value>) -> Result<Variants, String> {
    let all = flag.get("variants").and_then(Value::as_object).ok_or("it has no variants")?;
    let named = |wanted: bool| all.iter().filter(move |(_, value)| value.as_bool() == Some(wanted)).map(|(name, _)| name.clone());
    match (all.len(), named(true).next(), named(false).next()) {
        (2, Some(on), Some(off)) => Ok(Variants { on, off }),
        (..) => Err("its variants are not one true and one false".to_owned()),
    }
}

/// The share of users that get the variant that is true.
fn share(flag: &Map<String, Value>, variants: &Variants) -> Result<Percent, String> {
    let rule = flag.get("targeting").filter(|rule| !rule.as_object().is_some_and(Map::is_empty));
    let Some(rule) = rule else {
        return match flag.get("defaultVariant").and_then(Value::as_str) {
            Some(name) if name == variants.on => Ok(Percent::ALL),
            Some(name) if name == variants.off => Ok(Percent::NONE),
            Some(_) | None => Err("it has no default variant".to_owned()),
        };
    };
    let own = || "its targeting is a rule of its own".to_owned();
    let parts = rule.as_object().filter(|rule| rule.len() == 1).and_then(|rule| rule.get("fractional")).and_then(Value::as_array);
    let [one, other] = parts.ok_or_else(own)?.as_slice() else { return Err(own()) };
    let weight = |part: &Value| {
        let name = part.get(0)?.as_str()?.to_owned();
        let weight = part.get(1).map_or(Some(1), Value::as_u64)?;
        Some((name, weight))
    };
    let (one, other) = weight(one).zip(weight(other)).ok_or_else(own)?;
    let (on, off) = if one.0 == variants.on && other.0 == variants.off {
        (one.1, other.1)
    } else if one.0 == variants.off && other.0 == variants.on {
        (other.1, one.1)
    } else {
        return Err(own());
    };
    let total = on.checked_add(off).filter(|total| *total > 0).ok_or_else(own)?;
    let hundredth = on.checked_mul(100).filter(|hundredth| hundredth % total == 0).map(|hundredth| hundredth / total);
    let percent = hundredth.and_then(|percent| u8::try_from(percent).ok()).and_then(Percent::new);
    percent.ok_or_else(|| format!("its weights {on} to {off} are no whole per cent"))
}

/// Everything else that decides, in one digest.
fn rest(flag: &Map<String, Value>, without_share: bool) -> String {
    let mut kept = flag.clone();
    kept.retain(|key, _| matches!(key.as_str(), "variants" | "defaultVariant" | "targeting"));
    if without_share {
        kept.retain(|key, _| key == "variants");
    }
    digest(&Value::Object(kept))
}

/// Sets a flag of a file: its state, its share where one is given, and the marker of what it then is.
///
/// # Errors
/// Why it cannot be set.
pub(super) fn set(file: &mut Value, name: &str, on: bool, percent: Option<Percent>) -> Result<(), String> {
    let flag = file.get_mut("flags").and_then(|flags| flags.get_mut(name)).and_then(Value::as_object_mut);
    let flag = flag.ok_or_else(|| "its file has no such flag".to_owned())?;
    flag.insert("state".to_owned(), json!(if on { "ENABLED" } else { "DISABLED" }));
    if let Some(percent) = percent {
        let Variants { on, off } = variants(flag)?;
        let (some, none) = (percent.get(), 100 - percent.get());
        flag.insert("targeting".to_owned(), json!({ "fractional": [[on, some], [off, none]] }));
        // Whom no key can place gets what everybody had before.
        flag.entry("defaultVariant").or_insert_with(|| json!(off));
    }
    let mut whole = flag.clone();
    if let Some(Value::Object(metadata)) = whole.get_mut("metadata") {
        metadata.remove(MARKER);
    }
    let marker = digest(&Value::Object(whole));
    let metadata = flag.entry("metadata").or_insert_with(|| json!({}));
    let metadata = metadata.as_object_mut().ok_or_else(|| "its metadata is no object".to_owned())?;
    metadata.insert(MARKER.to_owned(), json!(marker));
    Ok(())
}

/// The file as it is written: every other flag as it was read, two spaces deep.
///
/// # Errors
/// It cannot be written as JSON.
pub(super) fn written(file: &Value) -> Result<String, String> {
    serde_json::to_string_pretty(file).map(|text| format!("{text}\n")).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(targeting: &Value) -> Value {
        json!({ "flags": {
            "z": { "state": "ENABLED", "variants": { "a": "x" } },
            "new": { "state": "ENABLED", "variants": { "yes": true, "no": false }, "defaultVariant": "no", "targeting": targeting },
        } })
    }

    fn percent(targeting: &Value) -> Result<u8, String> {
        let (state, _) = read(&file(targeting), "new")?;
        state.mark.percent.map(Percent::get).ok_or_else(|| state.fixed.map(|why| why.to_string()).unwrap_or_default())
    }

    #[test]
    fn a_split_of_two_and_no_rule_at_all_are_percentages() {
        assert_eq!(percent(&json!({ "fractional": [["yes", 25], ["no", 75]] })), Ok(25));
        assert_eq!(percent(&json!({ "fractional": [["no", 3], ["yes", 1]] })), Ok(25));
        assert_eq!(percent(&json!({ "fractional": [["yes"], ["no"]] })), Ok(50));
        assert_eq!(percent(&json!({})), Ok(0));
    }

    #[test]
    fn any_other_rule_is_fixed_and_says_why() {
        let own = Err("its targeting is a rule of its own".to_owned());
        for rule in [
            json!({ "if": [{ "==": [{ "var": "country" }, "DE"] }, "yes", "no"] }),
            json!({ "fractional": [{ "var": "email" }, ["yes", 25], ["no", 75]] }),
            json!({ "fractional": [["yes", 25], ["other", 75]] }),
            json!({ "fractional": [["yes", 0], ["no", 0]] }),
            json!({ "fractional": [["yes", u64::MAX], ["no", u64::MAX]] }),
        ] {
            assert_eq!(percent(&rule), own, "{rule}");
        }
        assert_eq!(percent(&json!({ "fractional": [["yes", 1], ["no", 2]] })), Err("its weights 1 to 2 are no whole per cent".to_owned()));
        assert!(read(&json!({ "flags": [] }), "new").is_err());
        assert!(read(&file(&json!({})), "other").is_err());
    }

    #[test]
    fn what_is_set_reads_as_set_and_nothing_else_changes() {
        let mut set_file = file(&json!({}));
        set(&mut set_file, "new", true, Percent::new(40)).unwrap();
        let (state, marker) = read(&set_file, "new").unwrap();
        assert_eq!((state.mark.on, state.mark.percent.map(Percent::get)), (true, Some(40)));
        assert_eq!(set_file["flags"]["z"], file(&json!({}))["flags"]["z"]);
        assert_eq!(set_file["flags"]["new"]["defaultVariant"], "no");
        // Off keeps the share for the next time; each definition has a marker of its own.
        set(&mut set_file, "new", false, None).unwrap();
        let (off, other) = read(&set_file, "new").unwrap();
        assert_eq!((off.mark.on, off.mark.percent.map(Percent::get)), (false, Some(40)));
        assert!(marker.is_some() && other.is_some() && marker != other);
        assert_eq!(off.mark.rest, state.mark.rest);
        assert!(written(&set_file).unwrap().starts_with("{\n  \"flags\": {\n    \"z\""), "in the order in which it was");
    }
}
