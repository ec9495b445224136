//! The zones that a calendar defines (`VTIMEZONE`). One that cannot be understood is left out, and what needs it says so.

use super::lines::Component;
use super::{rule, stamp};
use crate::model::ical::{DefinedZone, Observance, Recurrence};
use crate::model::timetable::Stamp;

/// The most zones of one calendar, and the most rules of one zone.
const MOST: usize = 200;

/// The zones that are whole.
pub(super) fn zones<'a>(components: impl Iterator<Item = &'a Component<'a>>) -> Vec<DefinedZone> {
    components.take(MOST).filter_map(zone).collect()
}

fn zone(component: &Component<'_>) -> Option<DefinedZone> {
    let name = component.one("TZID").ok()??.value.trim().to_owned();
    let rules = component.components.iter().filter(|part| matches!(part.name.as_str(), "STANDARD" | "DAYLIGHT"));
    let rules: Vec<Observance> = rules.map(observance).collect::<Option<_>>()?;
    let right = component.wrong.is_none() && !rules.is_empty() && rules.len() <= MOST && name.len() <= 200;
    right.then_some(DefinedZone { name, rules })
}

fn observance(component: &Component<'_>) -> Option<Observance> {
    let value = |name: &'static str| Some(component.one(name).ok()??.value.trim());
    let rule = match component.one("RRULE").ok()? {
        Some(property) => Some(rule::rule(property.value.trim()).ok()?),
        None => None,
    };
    let mut also = Vec::new();
    for property in component.all("RDATE") {
        for text in property.value.split(',') {
            also.push((Stamp::Floating(stamp::local(text.trim())?), None));
        }
    }
    component.wrong.is_none().then_some(())?;
    Some(Observance {
        begin: stamp::local(value("DTSTART")?)?,
        from: offset(value("TZOFFSETFROM")?)?,
        to: offset(value("TZOFFSETTO")?)?,
        recurs: Recurrence { rule, also, except: Vec::new() },
    })
}

/// Seconds east of UTC: `+0100`, `-023000`. At most a day.
fn offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if !matches!(digits.len(), 4 | 6) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |at: usize| digits.get(at..at + 2).map_or(Some(0), |part| part.parse::<i32>().ok());
    let (hours, minutes, seconds) = (part(0)?, part(2)?, part(4)?);
    (hours < 24 && minutes < 60 && seconds < 60).then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_hours_minutes_and_perhaps_seconds() {
        assert_eq!([offset("+0100"), offset("-0330"), offset("+005328")], [Some(3600), Some(-12_600), Some(3208)]);
        for wrong in ["", "0100", "+01", "+2400", "+0160", "+01000", "é100", "+é00"] {
            assert_eq!(offset(wrong), None, "{wrong}");
        }
    }
}
