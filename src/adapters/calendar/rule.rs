//! Rules of recurrence (RFC 5545, 3.3.10), each number within its bounds, and none that would cost more than it is worth.

use chrono::Weekday;

use super::stamp;
use crate::model::ical::{Frequency, Rule};
use crate::model::text::Text;
use crate::model::timetable::Stamp;

/// The most beginnings on one day.
const MOST_TIMES: usize = 96;
/// The most numbers of one part.
const MOST_NUMBERS: usize = 400;

const DAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Mon),
    ("TU", Weekday::Tue),
    ("WE", Weekday::Wed),
    ("TH", Weekday::Thu),
    ("FR", Weekday::Fri),
    ("SA", Weekday::Sat),
    ("SU", Weekday::Sun),
];

/// Reads the value of an `RRULE`.
pub(super) fn rule(text: &str) -> Result<Rule, String> {
    let mut rule = Rule::every(frequency(text)?);
    let mut seen: Vec<&str> = Vec::new();
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("its rule holds what is no part: `{}`", short(part)))?;
        let (name, value) = (name.trim(), value.trim());
        if seen.contains(&name) {
            return Err(format!("its rule says {} twice", short(name)));
        }
        seen.push(name);
        let wrong = || format!("its rule says what cannot be: `{}`", short(part));
        match name {
            "FREQ" => {}
            "INTERVAL" => rule.interval = number(value, 1, 1_000).ok_or_else(wrong)?,
            "COUNT" => rule.count = Some(number(value, 1, 100_000).ok_or_else(wrong)?),
            "UNTIL" => rule.until = Some(until(value).ok_or_else(wrong)?),
            "WKST" => rule.week_start = weekday(value).ok_or_else(wrong)?,
            "BYMONTH" => rule.months = numbers(value, 1, 12).ok_or_else(wrong)?,
            "BYWEEKNO" => rule.weeks = from_both_ends(value, 53).ok_or_else(wrong)?,
            "BYYEARDAY" => rule.year_days = from_both_ends(value, 366).ok_or_else(wrong)?,
            "BYMONTHDAY" => rule.month_days = from_both_ends(value, 31).ok_or_else(wrong)?,
            "BYDAY" => rule.days = days(value).ok_or_else(wrong)?,
            "BYHOUR" => rule.hours = numbers(value, 0, 23).ok_or_else(wrong)?,
            "BYMINUTE" => rule.minutes = numbers(value, 0, 59).ok_or_else(wrong)?,
            "BYSECOND" => rule.seconds = numbers(value, 0, 59).ok_or_else(wrong)?,
            "BYSETPOS" => rule.positions = from_both_ends(value, 366).ok_or_else(wrong)?,
            other => return Err(format!("its rule holds a part that is not known: {}", short(other))),
        }
    }
    refuse_what_has_no_meaning(&rule)?;
    Ok(rule)
}

fn short(text: &str) -> Text {
    Text::clean_within(text, 60)
}

fn frequency(text: &str) -> Result<Frequency, String> {
    let value = text.split(';').find_map(|part| part.trim().strip_prefix("FREQ=")).ok_or("its rule has no FREQ")?;
    match value.trim() {
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "YEARLY" => Ok(Frequency::Yearly),
        often @ ("SECONDLY" | "MINUTELY" | "HOURLY") => Err(format!("its rule repeats {often}; expected DAILY, WEEKLY, MONTHLY or YEARLY")),
        other => Err(format!("its rule has an unknown FREQ: `{}`", short(other))),
    }
}

/// Combinations that RFC 5545 forbids or leaves without a meaning.
fn refuse_what_has_no_meaning(rule: &Rule) -> Result<(), String> {
    let yearly = rule.every == Frequency::Yearly;
    let numbered = rule.days.iter().any(|(which, _)| *which != 0);
    let times = [&rule.hours, &rule.minutes, &rule.seconds].iter().map(|list| list.len().max(1)).product::<usize>();
    let by_day = [rule.weeks.len(), rule.year_days.len(), rule.month_days.len(), rule.days.len(), rule.months.len()];
    let refused = [
        (rule.count.is_some() && rule.until.is_some(), "COUNT and UNTIL"),
        (!rule.weeks.is_empty() && !yearly, "BYWEEKNO in what is not YEARLY"),
        (!rule.weeks.is_empty() && rule.days.is_empty(), "BYWEEKNO without BYDAY"),
        (!rule.year_days.is_empty() && !yearly, "BYYEARDAY in what is not YEARLY"),
        (!rule.month_days.is_empty() && rule.every == Frequency::Weekly, "BYMONTHDAY in what is WEEKLY"),
        (numbered && !yearly && rule.every != Frequency::Monthly, "a numbered BYDAY in what is neither MONTHLY nor YEARLY"),
        (numbered && !rule.weeks.is_empty(), "a numbered BYDAY with BYWEEKNO"),
        (!rule.positions.is_empty() && by_day.iter().sum::<usize>() == 0 && times == 1, "BYSETPOS without anything to choose from"),
    ];
    if let Some((_, what)) = refused.iter().find(|(holds, _)| *holds) {
        return Err(format!("its rule has {what}, which has no meaning"));
    }
    if times > MOST_TIMES { Err(format!("its rule begins {times} times a day, over the allowed {MOST_TIMES}")) } else { Ok(()) }
}

fn number(text: &str, least: u32, most: u32) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?.filter(|number| (least..=most).contains(number))
}

fn numbers(text: &str, least: u32, most: u32) -> Option<Vec<u32>> {
    parts(text)?.into_iter().map(|part| number(part, least, most)).collect()
}

fn from_both_ends(text: &str, most: u32) -> Option<Vec<i32>> {
    parts(text)?.into_iter().map(|part| signed(part, most)).collect()
}

fn signed(text: &str, most: u32) -> Option<i32> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    i32::try_from(number(digits, 1, most)?).ok().map(|number| number * sign)
}

fn parts(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    (parts.len() <= MOST_NUMBERS).then_some(parts)
}

fn weekday(text: &str) -> Option<Weekday> {
    DAYS.iter().find(|(word, _)| *word == text).map(|(_, day)| *day)
}

fn days(text: &str) -> Option<Vec<(i32, Weekday)>> {
    let day = |part: &str| {
        let (which, word) = part.split_at_checked(part.len().checked_sub(2)?)?;
        let which = if which.is_empty() { 0 } else { signed(which, 53)? };
        Some((which, weekday(word)?))
    };
    parts(text)?.into_iter().map(day).collect()
}

fn until(text: &str) -> Option<Stamp> {
    if let Some(day) = stamp::day(text) {
        return Some(Stamp::Day(day));
    }
    match text.strip_suffix('Z') {
        Some(rest) => stamp::local(rest).map(|local| Stamp::Utc(local.and_utc())),
        None => stamp::local(text).map(Stamp::Floating),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", "its rule has no FREQ")]
    #[case("FREQ=SECONDLY", "its rule repeats SECONDLY; expected DAILY, WEEKLY, MONTHLY or YEARLY")]
    #[case("FREQ=HOURLY;COUNT=3", "its rule repeats HOURLY; expected DAILY, WEEKLY, MONTHLY or YEARLY")]
    #[case("FREQ=OFTEN", "its rule has an unknown FREQ: `OFTEN`")]
    #[case("FREQ=DAILY;INTERVAL=0", "its rule says what cannot be: `INTERVAL=0`")]
    #[case("FREQ=DAILY;COUNT=-1", "its rule says what cannot be: `COUNT=-1`")]
    #[case("FREQ=DAILY;COUNT=99999999999", "its rule says what cannot be: `COUNT=99999999999`")]
    #[case("FREQ=DAILY;COUNT=1;COUNT=2", "its rule says COUNT twice")]
    #[case("FREQ=DAILY;COUNT=1;UNTIL=20260101", "its rule has COUNT and UNTIL, which has no meaning")]
    #[case("FREQ=DAILY;UNTIL=soon", "its rule says what cannot be: `UNTIL=soon`")]
    #[case("FREQ=DAILY;BYEASTER=1", "its rule holds a part that is not known: BYEASTER")]
    #[case("FREQ=DAILY;BYDAY", "its rule holds what is no part: `BYDAY`")]
    #[case("FREQ=WEEKLY;BYDAY=1MO", "its rule has a numbered BYDAY in what is neither MONTHLY nor YEARLY, which has no meaning")]
    #[case("FREQ=MONTHLY;BYDAY=é", "its rule says what cannot be: `BYDAY=é`")]
    #[case("FREQ=MONTHLY;BYMONTHDAY=0", "its rule says what cannot be: `BYMONTHDAY=0`")]
    #[case("FREQ=MONTHLY;BYMONTHDAY=32", "its rule says what cannot be: `BYMONTHDAY=32`")]
    #[case("FREQ=YEARLY;BYWEEKNO=20", "its rule has BYWEEKNO without BYDAY, which has no meaning")]
    #[case("FREQ=DAILY;BYSETPOS=1", "its rule has BYSETPOS without anything to choose from, which has no meaning")]
    #[case(
        "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19",
        "its rule begins 100 times a day, over the allowed 96"
    )]
    fn a_rule_that_cannot_be_is_refused_with_words(#[case] text: &str, #[case] why: &str) {
        assert_eq!(rule(text), Err(why.to_owned()));
    }

    #[test]
    fn a_rule_is_what_its_parts_say() {
        let got = rule("FREQ=MONTHLY;INTERVAL=2;BYDAY=-1FR,+2MO,TU;BYMONTH=1,12;WKST=SU;UNTIL=20261231T225959Z;BYSETPOS=-1").unwrap();
        let wanted = Rule {
            interval: 2,
            days: vec![(-1, Weekday::Fri), (2, Weekday::Mon), (0, Weekday::Tue)],
            months: vec![1, 12],
            week_start: Weekday::Sun,
            until: Some(Stamp::Utc("2026-12-31T22:59:59Z".parse().unwrap())),
            positions: vec![-1],
            ..Rule::every(Frequency::Monthly)
        };
        assert_eq!(got, wanted);
    }
}
