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

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone as _;
    use proptest::prelude::*;
    use rstest::rstest;

    const DAYS: [(&str, Weekday); 7] = [
        ("MO", Weekday::Mon),
        ("TU", Weekday::Tue),
        ("WE", Weekday::Wed),
        ("TH", Weekday::Thu),
        ("FR", Weekday::Fri),
        ("SA", Weekday::Sat),
        ("SU", Weekday::Sun),
    ];

    fn local(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap()
    }

    /// The value of an `RRULE` that says the same.
    fn written(rule: &Rule) -> String {
        let every = match rule.every {
            Frequency::Daily => "DAILY",
            Frequency::Weekly => "WEEKLY",
            Frequency::Monthly => "MONTHLY",
            Frequency::Yearly => "YEARLY",
        };
        let word = |day: &Weekday| DAYS.iter().find(|(_, other)| other == day).unwrap().0;
        let mut out = format!("FREQ={every};INTERVAL={};WKST={}", rule.interval, word(&rule.week_start));
        let mut part = |name: &str, values: Vec<String>| {
            if !values.is_empty() {
                out.push_str(&format!(";{name}={}", values.join(",")));
            }
        };
        let texts = |list: &[i32]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        part("BYMONTH", rule.months.iter().map(ToString::to_string).collect());
        part("BYWEEKNO", texts(&rule.weeks));
        part("BYYEARDAY", texts(&rule.year_days));
        part("BYMONTHDAY", texts(&rule.month_days));
        part(
            "BYDAY",
            rule.days.iter().map(|(which, day)| if *which == 0 { word(day).to_owned() } else { format!("{which}{}", word(day)) }).collect(),
        );
        part("BYHOUR", rule.hours.iter().map(ToString::to_string).collect());
        part("BYSETPOS", texts(&rule.positions));
        out
    }

    /// What the `rrule` crate finds from the first beginning on.
    fn oracle(rule: &Rule, first: NaiveDateTime, to: NaiveDateTime) -> Vec<NaiveDateTime> {
        let begin = rrule::Tz::UTC.from_utc_datetime(&first);
        let parsed: rrule::RRule<rrule::Unvalidated> = written(rule).parse().unwrap();
        let set = parsed.build(begin).unwrap();
        set.into_iter().take(6_000).map(|at| at.naive_utc()).take_while(|at| *at <= to).collect()
    }

    fn some<T: Clone + std::fmt::Debug + 'static>(values: Vec<T>) -> impl Strategy<Value = Vec<T>> {
        prop_oneof![3 => Just(Vec::new()), 2 => proptest::sample::subsequence(values, 1..=3)]
    }

    prop_compose! {
        fn any_rule()(
            every in prop_oneof![Just(Frequency::Daily), Just(Frequency::Weekly), Just(Frequency::Monthly), Just(Frequency::Yearly)],
            interval in 1_u32..4,
            week_start in proptest::sample::select(DAYS.map(|(_, day)| day).to_vec()),
            months in some((1..=12).collect::<Vec<u32>>()),
            month_days in some(vec![1, 2, 13, 28, 29, 30, 31, -1, -2, -31]),
            year_days in some(vec![1, 60, 100, 200, 365, 366, -1, -60, -366]),
            // Of -53 the other implementation misses what lies in December: week 1 of a year with 53 weeks; of 53 it finds the days of
            // January that belong to week 52. Both stand among the examples.
            weeks in some(vec![1, 2, 20, 52, -1]),
            days in some(DAYS.map(|(_, day)| day).to_vec()),
            which in proptest::sample::select(vec![0, 0, 1, 2, 4, 5, -1, -2]),
            hours in some(vec![0, 6, 12, 23]),
            positions in some(vec![1, 2, 3, -1, -2]),
        ) -> Rule {
            let (yearly, monthly) = (every == Frequency::Yearly, every == Frequency::Monthly);
            let weeks = if yearly && !days.is_empty() { weeks } else { Vec::new() };
            let which = if (yearly || monthly) && weeks.is_empty() { which } else { 0 };
            let chooses = !(days.is_empty() && months.is_empty() && month_days.is_empty() && hours.is_empty());
            Rule {
                interval,
                week_start,
                months,
                month_days: if every == Frequency::Weekly { Vec::new() } else { month_days },
                year_days: if yearly { year_days } else { Vec::new() },
                weeks,
                days: days.into_iter().map(|day| (which, day)).collect(),
                hours,
                positions: if chooses && every != Frequency::Daily { positions } else { Vec::new() },
                ..Rule::every(every)
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
        #[test]
        fn what_it_finds_is_what_another_implementation_finds(
            rule in any_rule(),
            day in 0_u64..2000,
            hour in 0_u32..24,
            ahead in 0_u64..1000,
            count in proptest::option::of(1_u32..30),
        ) {
            let first = NaiveDate::from_ymd_opt(2016, 1, 1).unwrap().checked_add_days(Days::new(day)).unwrap().and_hms_opt(hour, 30, 0).unwrap();
            // The other implementation counts positions of the first week from the beginning on, and not from the week's.
            let into_week = u64::from(first.weekday().days_since(rule.week_start));
            let is_cut = matches!(rule.every, Frequency::Weekly) && !rule.positions.is_empty();
            let first = first.checked_sub_days(Days::new(if is_cut { into_week } else { 0 })).unwrap();
            let from = first.checked_add_days(Days::new(ahead)).unwrap();
            let to = from.checked_add_days(Days::new(400)).unwrap();
            // The first beginning belongs to it by definition, and the count counts it.
            let mut wanted: Vec<NaiveDateTime> = std::iter::once(first).chain(oracle(&rule, first, to).into_iter().filter(|at| *at > first)).collect();
            wanted.truncate(count.map_or(usize::MAX, |count| usize::try_from(count).unwrap()));
            wanted.retain(|at| (from..=to).contains(at));
            let rule = Rule { count, ..rule };
            let got = beginnings(&rule, first, None, (from, to), &mut Budget(1_000_000)).unwrap();
            prop_assert_eq!(got, wanted, "{}", written(&rule));
        }
    }

    #[rstest]
    // Examples of RFC 5545, 3.8.5.3, which the other implementation does not decide.
    #[case(Rule { weeks: vec![20], days: vec![(0, Weekday::Mon)], ..Rule::every(Frequency::Yearly) }, "1997-05-12T09:00", &["1997-05-12", "1998-05-11", "1999-05-17"])]
    #[case(Rule { weeks: vec![53], days: vec![(0, Weekday::Sun)], ..Rule::every(Frequency::Yearly) }, "2016-01-03T09:00", &["2016-01-03", "2021-01-03"])]
    #[case(Rule { weeks: vec![-53], days: vec![(0, Weekday::Thu)], ..Rule::every(Frequency::Yearly) }, "2015-01-01T09:00", &["2015-01-01", "2020-01-02"])]
    #[case(Rule { days: vec![(20, Weekday::Mon)], ..Rule::every(Frequency::Yearly) }, "1997-05-19T09:00", &["1997-05-19", "1998-05-18", "1999-05-17"])]
    #[case(Rule { days: vec![(0, Weekday::Tue)], month_days: (2..=8).collect(), months: vec![11], interval: 4, ..Rule::every(Frequency::Yearly) }, "1996-11-05T09:00", &["1996-11-05", "2000-11-07", "2004-11-02"])]
    #[case(Rule { days: vec![(0, Weekday::Tue), (0, Weekday::Wed), (0, Weekday::Thu)], positions: vec![3], ..Rule::every(Frequency::Monthly) }, "1997-09-04T09:00", &["1997-09-04", "1997-10-07", "1997-11-06"])]
    #[case(Rule { month_days: vec![-1], ..Rule::every(Frequency::Monthly) }, "2024-01-31T09:00", &["2024-01-31", "2024-02-29", "2024-03-31"])]
    #[case(Rule { interval: 2, days: vec![(0, Weekday::Tue), (0, Weekday::Sun)], ..Rule::every(Frequency::Weekly) }, "1997-08-05T09:00", &["1997-08-05", "1997-08-10", "1997-08-19"])]
    #[case(Rule { interval: 2, week_start: Weekday::Sun, days: vec![(0, Weekday::Tue), (0, Weekday::Sun)], ..Rule::every(Frequency::Weekly) }, "1997-08-05T09:00", &["1997-08-05", "1997-08-17", "1997-08-19"])]
    #[case(Rule::every(Frequency::Monthly), "2026-01-31T09:00", &["2026-01-31", "2026-03-31", "2026-05-31"])]
    #[case(Rule::every(Frequency::Yearly), "2024-02-29T09:00", &["2024-02-29", "2028-02-29", "2032-02-29"])]
    fn the_examples_of_the_standard(#[case] rule: Rule, #[case] first: &str, #[case] wanted: &[&str]) {
        let first = local(first);
        let to = first.checked_add_days(Days::new(4000)).unwrap();
        let got = beginnings(&rule, first, None, (first, to), &mut Budget(100_000)).unwrap();
        let got: Vec<String> = got.iter().take(wanted.len()).map(|at| at.date().to_string()).collect();
        assert_eq!(got, wanted);
    }

    #[test]
    fn an_old_rule_costs_no_more_than_a_young_one_and_a_count_costs_its_days() {
        let horizon = (local("2026-01-01T00:00"), local("2026-05-01T00:00"));
        let cost = |rule: &Rule, first: &str| {
            let mut budget = Budget(50_000);
            beginnings(rule, local(first), None, horizon, &mut budget).map(|found| (found.len(), 50_000 - budget.0))
        };
        let daily = Rule::every(Frequency::Daily);
        assert_eq!(cost(&daily, "1970-01-01T12:00"), Some((120, 122)));
        let counted = Rule { count: Some(100_000), ..daily };
        assert_eq!(cost(&counted, "1970-01-01T12:00"), Some((120, 20_575)));
        assert_eq!(cost(&counted, "1870-01-01T12:00"), None, "the budget ends it");
    }
}
