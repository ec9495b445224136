//! Events (`VEVENT`): those that can be understood, and those that cannot, which are never taken for absent.

use std::collections::{BTreeMap, BTreeSet};

use super::lines::{Component, list, unescape};
use super::{rule, stamp};
use crate::model::ical::{BrokenEvent, CalendarEvent, DefinedZone, Length, Recurrence};
use crate::model::text::Text;
use crate::model::timetable::Stamp;

/// Characters kept of a summary or a category.
const LONGEST: usize = 200;
/// The most categories of one event.
const MOST_CATEGORIES: usize = 50;
/// The most dates that one event adds or takes out.
const MOST_DATES: usize = 5_000;

/// All events, each with those moments taken out that others replace.
pub(super) fn events(components: &[&Component<'_>], zones: &[DefinedZone]) -> (Vec<CalendarEvent>, Vec<BrokenEvent>) {
    let (mut whole, mut broken) = (Vec::new(), Vec::new());
    let mut replaced: BTreeMap<String, Vec<Stamp>> = BTreeMap::new();
    let mut unplaced: BTreeSet<String> = BTreeSet::new();
    for component in components {
        let uid = component.all("UID").next().map(|property| property.value.trim().to_owned()).unwrap_or_default();
        let replaces = replaces(component, zones);
        match &replaces {
            Ok(None) => {}
            Ok(Some(moment)) => replaced.entry(uid.clone()).or_default().push(moment.clone()),
            Err(_) => {
                unplaced.insert(uid.clone());
            }
        }
        let cancelled = component.all("STATUS").any(|property| property.value.trim().eq_ignore_ascii_case("CANCELLED"));
        if cancelled && replaces.is_ok() {
            continue;
        }
        match replaces.and_then(|replaces| Ok((replaces.is_some(), event(component, zones)?))) {
            Ok((part, event)) => whole.push((uid, part, event)),
            Err(why) => broken.push(broken_event(component, &why)),
        }
    }
    let mut events = Vec::with_capacity(whole.len());
    for (uid, part, mut event) in whole {
        if !part && unplaced.contains(&uid) {
            let why = Text::clean("another event replaces a part of it that cannot be understood");
            broken.push(BrokenEvent { line: event.line, summary: event.summary, categories: event.categories, why });
            continue;
        }
        if let Some(moments) = replaced.get(&uid).filter(|_| !part && !uid.is_empty()) {
            event.recurs.except.extend(moments.iter().cloned());
        }
        events.push(event);
    }
    (events, broken)
}

/// The moment of another event that this one stands for.
fn replaces(component: &Component<'_>, zones: &[DefinedZone]) -> Result<Option<Stamp>, String> {
    let Some(property) = component.one("RECURRENCE-ID")? else { return Ok(None) };
    if let Some(range) = property.parameter("RANGE") {
        return Err(format!("it replaces a range of another ({}), which is not understood", Text::clean_within(range, 40)));
    }
    stamp::one(property, zones).map(Some)
}

fn summary(component: &Component<'_>) -> Text {
    let text = component.all("SUMMARY").next().map(|property| unescape(&property.value)).unwrap_or_default();
    Text::clean_within(&text, LONGEST)
}

fn categories(component: &Component<'_>) -> Vec<Text> {
    let all = component.all("CATEGORIES").flat_map(|property| list(&property.value));
    all.take(MOST_CATEGORIES).map(|text| Text::clean_within(&text, LONGEST)).collect()
}

fn broken_event(component: &Component<'_>, why: &str) -> BrokenEvent {
    BrokenEvent { line: component.line, summary: summary(component), categories: categories(component), why: Text::clean_within(why, 300) }
}

fn event(component: &Component<'_>, zones: &[DefinedZone]) -> Result<CalendarEvent, String> {
    if let Some(line) = component.wrong {
        return Err(format!("line {line} is no line of a calendar"));
    }
    let begin = stamp::one(component.one("DTSTART")?.ok_or("it has no DTSTART")?, zones)?;
    let length = length(component, &begin, zones)?;
    if component.all("EXRULE").next().is_some() {
        return Err("it has an EXRULE, which RFC 5545 took away".to_owned());
    }
    let rule = component.one("RRULE")?.map(|property| rule::rule(property.value.trim())).transpose()?;
    let dates = |name: &'static str| -> Result<Vec<(Stamp, Option<Length>)>, String> {
        let mut all = Vec::new();
        for property in component.all(name) {
            all.extend(stamp::stamps(property, zones)?);
        }
        if all.len() > MOST_DATES { Err(format!("it has more than {MOST_DATES} of {name}")) } else { Ok(all) }
    };
    let also = dates("RDATE")?;
    let except = dates("EXDATE")?.into_iter().map(|(stamp, _)| stamp).collect();
    Ok(CalendarEvent {
        line: component.line,
        summary: summary(component),
        categories: categories(component),
        begin,
        length,
        recurs: Recurrence { rule, also, except },
    })
}

fn length(component: &Component<'_>, begin: &Stamp, zones: &[DefinedZone]) -> Result<Length, String> {
    let turned = || "it ends before it begins".to_owned();
    match (component.one("DTEND")?, component.one("DURATION")?) {
        (Some(_), Some(_)) => Err("it has DTEND and DURATION".to_owned()),
        (None, Some(property)) => stamp::length(&property.value),
        (None, None) if matches!(begin, Stamp::Day(_)) => Ok(Length::Lasting { days: 1, seconds: 0 }),
        (None, None) => Ok(Length::Lasting { days: 0, seconds: 0 }),
        (Some(property), None) => match (begin, stamp::one(property, zones)?) {
            (Stamp::Day(begin), Stamp::Day(end)) => {
                let days = end.signed_duration_since(*begin).num_days();
                if days < 0 { Err(turned()) } else { Ok(Length::Lasting { days, seconds: 0 }) }
            }
            (Stamp::Day(_), _) | (_, Stamp::Day(_)) => Err("one of DTSTART and DTEND is a day, and the other is not".to_owned()),
            (Stamp::Utc(begin), Stamp::Utc(end)) if end < *begin => Err(turned()),
            (Stamp::Utc(_) | Stamp::Zoned(..) | Stamp::Floating(_), end) => Ok(Length::Until(end)),
        },
    }
}
