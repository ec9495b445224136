//! The beginnings that a rule of recurrence comes to, by the calendar and the clock on the wall (RFC 5545, 3.3.10).
//!
//! Work is bounded by the horizon and not by the age of the rule: without a count, the periods before the horizon are skipped by
//! arithmetic. With one they must be walked over, and a budget ends that.

use chrono::{Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Weekday};

use crate::model::ical::{Frequency, Rule};

/// The days that may still be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(pub u32);

impl Budget {
    /// Takes days away. None when there are not as many left.
    fn spend(&mut self, days: usize) -> Option<()> {
        self.0 = self.0.checked_sub(u32::try_from(days).ok()?)?;
        Some(())
    }
}

/// The beginnings from `from` to `to`, both included, in order. `first` is one of them by definition, and is the first that `count`
/// counts; `last` ends the rule. None when the budget did not suffice.
pub fn beginnings(
    rule: &Rule,
    first: NaiveDateTime,
    last: Option<NaiveDateTime>,
    (from, to): (NaiveDateTime, NaiveDateTime),
    budget: &mut Budget,
) -> Option<Vec<NaiveDateTime>> {
    let to = last.map_or(to, |last| last.min(to));
    let filter = Filter::of(rule, first);
    let mut found = Vec::new();
    let mut counted: u32 = 1;
    let enough = |counted: u32| rule.count.is_some_and(|count| counted >= count);
    if (from..=to).contains(&first) {
        found.push(first);
    }
    // One period earlier, for one that begins before the horizon and reaches into it.
    let mut period = if rule.count.is_some() { 0 } else { filter.period_of(from).saturating_sub(1) };
    while !enough(counted) {
        let Some(days) = filter.days(period).filter(|days| days.first().is_some_and(|day| *day <= to.date())) else { break };
        budget.spend(days.len())?;
        for begin in filter.within(&days) {
            if begin <= first || enough(counted) {
                continue;
            }
            counted += 1;
            if (from..=to).contains(&begin) {
                found.push(begin);
            }
        }
        period += 1;
    }
    Some(found)
}

/// A rule with what it leaves out taken from the first beginning.
struct Filter<'a> {
    rule: &'a Rule,
    first: NaiveDateTime,
    months: Vec<u32>,
    month_days: Vec<i32>,
    weekdays: Vec<(i32, Weekday)>,
    times: Vec<NaiveTime>,
}

impl<'a> Filter<'a> {
    fn of(rule: &'a Rule, first: NaiveDateTime) -> Self {
        let (mut months, mut month_days, mut weekdays) = (rule.months.clone(), rule.month_days.clone(), rule.days.clone());
        let day = i32::try_from(first.day()).unwrap_or(1);
        if rule.weeks.is_empty() && rule.year_days.is_empty() && month_days.is_empty() && weekdays.is_empty() {
            match rule.every {
                Frequency::Daily => {}
                Frequency::Weekly => weekdays.push((0, first.weekday())),
                Frequency::Monthly => month_days.push(day),
                Frequency::Yearly => {
                    month_days.push(day);
                    if months.is_empty() {
                        months.push(first.month());
                    }
                }
            }
        }
        Self { rule, first, months, month_days, weekdays, times: times(rule, first) }
    }

    /// The first day of the week of a day.
    fn week(&self, day: NaiveDate) -> NaiveDate {
        day.week(self.rule.week_start).checked_first_day().unwrap_or(day)
    }

    /// The number of the period, counted in intervals from the first one, in which a moment lies or that ended last before it.
    fn period_of(&self, at: NaiveDateTime) -> u32 {
        let (first, at) = (self.first.date(), at.date());
        let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
        let units = match self.rule.every {
            Frequency::Daily => at.signed_duration_since(first).num_days(),
            Frequency::Weekly => self.week(at).signed_duration_since(self.week(first)).num_days().div_euclid(7),
            Frequency::Monthly => months(at) - months(first),
            Frequency::Yearly => i64::from(at.year()) - i64::from(first.year()),
        };
        u32::try_from(units.max(0)).unwrap_or(u32::MAX).checked_div(self.rule.interval).unwrap_or(0)
    }

    /// The days of a period. None beyond the end of all calendars.
    fn days(&self, period: u32) -> Option<Vec<NaiveDate>> {
        let units = period.checked_mul(self.rule.interval)?;
        let first = self.first.date();
        let span = |begin: NaiveDate, days: usize| begin.iter_days().take(days).collect();
        match self.rule.every {
            Frequency::Daily => Some(vec![first.checked_add_days(Days::new(units.into()))?]),
            Frequency::Weekly => Some(span(self.week(first).checked_add_days(Days::new(u64::from(units) * 7))?, 7)),
            Frequency::Monthly => {
                let begin = first.with_day(1)?.checked_add_months(chrono::Months::new(units))?;
                Some(begin.iter_days().take_while(|day| day.month() == begin.month()).collect())
            }
            Frequency::Yearly => {
                let begin = NaiveDate::from_ymd_opt(first.year().checked_add(i32::try_from(units).ok()?)?, 1, 1)?;
                Some(begin.iter_days().take_while(|day| day.year() == begin.year()).collect())
            }
        }
    }

    /// The beginnings among the days of one period.
    fn within(&self, days: &[NaiveDate]) -> Vec<NaiveDateTime> {
        let days = days.iter().filter(|day| self.suits(**day));
        let all: Vec<NaiveDateTime> = days.flat_map(|day| self.times.iter().map(|time| day.and_time(*time))).collect();
        if self.rule.positions.is_empty() {
            return all;
        }
        let place = |position: &i32| {
            let distance = usize::try_from(position.unsigned_abs()).ok()?;
            if *position > 0 { distance.checked_sub(1) } else { all.len().checked_sub(distance) }
        };
        let mut chosen: Vec<NaiveDateTime> = self.rule.positions.iter().filter_map(|position| all.get(place(position)?)).copied().collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    fn suits(&self, day: NaiveDate) -> bool {
        let from_both = |wanted: &[i32], place: u32, of: u32| {
            let (place, of) = (i32::try_from(place).unwrap_or(0), i32::try_from(of).unwrap_or(0));
            wanted.is_empty() || wanted.contains(&place) || wanted.contains(&(place - of - 1))
        };
        (self.months.is_empty() || self.months.contains(&day.month()))
            && from_both(&self.month_days, day.day(), month_length(day))
            && from_both(&self.rule.year_days, day.ordinal(), year_length(day.year()))
            && (self.rule.weeks.is_empty() || self.in_weeks(day))
            && (self.weekdays.is_empty() || self.weekdays.iter().any(|(which, weekday)| self.is_which(day, *which, *weekday)))
    }

    /// Whether a day lies in one of the wanted weeks. A week belongs to the year in which most of its days lie.
    fn in_weeks(&self, day: NaiveDate) -> bool {
        let begin = self.week(day);
        let year = begin.checked_add_days(Days::new(3)).unwrap_or(begin).year();
        let first_week = |year: i32| NaiveDate::from_ymd_opt(year, 1, 4).map(|day| self.week(day));
        let (Some(this), Some(next)) = (first_week(year), first_week(year.saturating_add(1))) else { return false };
        let week = begin.signed_duration_since(this).num_days().div_euclid(7) + 1;
        let weeks = next.signed_duration_since(this).num_days().div_euclid(7);
        self.rule.weeks.iter().any(|wanted| i64::from(*wanted) == week || i64::from(*wanted) == week - weeks - 1)
    }

    /// Whether a day is the `which`-th of its kind in its month or year.
    fn is_which(&self, day: NaiveDate, which: i32, weekday: Weekday) -> bool {
        if day.weekday() != weekday || which == 0 {
            return day.weekday() == weekday;
        }
        let in_month = match self.rule.every {
            Frequency::Yearly => !self.rule.months.is_empty(),
            Frequency::Monthly => true,
            // A number has no meaning there, and is refused where rules are read.
            Frequency::Daily | Frequency::Weekly => return false,
        };
        let (place, of) = if in_month { (day.day(), month_length(day)) } else { (day.ordinal(), year_length(day.year())) };
        let forward = i32::try_from(place.saturating_sub(1) / 7 + 1).unwrap_or(0);
        let backward = -i32::try_from(of.saturating_sub(place) / 7 + 1).unwrap_or(0);
        which == forward || which == backward
    }
}

fn times(rule: &Rule, first: NaiveDateTime) -> Vec<NaiveTime> {
    let or_own = |wanted: &[u32], own: u32| if wanted.is_empty() { vec![own] } else { wanted.to_vec() };
    let (hours, minutes) = (or_own(&rule.hours, first.hour()), or_own(&rule.minutes, first.minute()));
    let seconds = or_own(&rule.seconds, first.second());
    let mut times: Vec<NaiveTime> = hours
        .iter()
        .flat_map(|hour| minutes.iter().map(move |minute| (*hour, *minute)))
        .flat_map(|(hour, minute)| seconds.iter().filter_map(move |second| NaiveTime::from_hms_opt(hour, minute, *second)))
        .collect();
    times.sort_unstable();
    times.dedup();
    times
}

fn month_length(day: NaiveDate) -> u32 {
    u32::from(day.num_days_in_month())
}

fn year_length(year: i32) -> u32 {
    if NaiveDate::from_ymd_opt(year, 2, 29).is_some() { 366 } else { 365 }
}
