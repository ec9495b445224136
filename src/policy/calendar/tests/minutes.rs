//! Windows and freezes on the days of clock changes, asked minute by minute.

use super::*;
use proptest::prelude::*;

prop_compose! {
    fn weekly()(from in 0_u16..96, length in 1_u16..95, mask in 1_u8..128) -> Times {
        use chrono::Weekday::*;
        let days = [Mon, Tue, Wed, Thu, Fri, Sat, Sun].into_iter().enumerate();
        let days = days.filter(|(n, _)| mask & (1 << n) != 0).map(|(_, day)| day).collect();
        let quarter = |n: u16| clock(&format!("{:02}:{:02}", n % 96 / 4, n % 4 * 15));
        Times::Weekly { days, from: quarter(from), to: quarter(from + length) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn until_and_next_are_what_asking_each_minute_says(
        which in 0_usize..6,
        windows in proptest::collection::vec(weekly(), 1..4),
        freezes in proptest::collection::vec(weekly(), 0..2),
        minute in 0_i64..2880,
    ) {
        let (zone, day) = [
            ("Europe/Berlin", "2026-03-28"),
            ("Europe/Berlin", "2026-10-24"),
            ("America/New_York", "2026-03-07"),
            ("America/New_York", "2026-10-31"),
            ("Australia/Lord_Howe", "2026-04-04"),
            ("Australia/Lord_Howe", "2026-10-03"),
        ][which];
        let mut question = Question::at(&format!("{day}T00:00:00Z"));
        let name = |n: usize| format!("w{n}");
        for (n, times) in windows.into_iter().enumerate() {
            question = question.window(Window { name: name(n), timezone: zone.to_owned(), times, ..window() });
        }
        for (n, times) in freezes.into_iter().enumerate() {
            question = question.freeze(Freeze { name: name(n), timezone: zone.to_owned(), times, ..freeze() });
        }
        let calendars = question.calendars();
        let ask = |at| standing(&calendars, &Asked { at, ..question.asked() });
        let begin = question.at + TimeDelta::minutes(minute);
        let later = |holds: &dyn Fn(&Standing) -> bool| (1..8 * 1440).map(|n| begin + TimeDelta::minutes(n)).find(|at| holds(&ask(*at)));
        let stands = ask(begin);
        match &stands.access {
            Access::Open { until, .. } => {
                let shut = later(&|stands| !stands.open);
                prop_assert!(*until == shut || shut.is_none(), "{:?} {:?}", until, shut);
            }
            Access::Shut { next } => prop_assert_eq!(next.as_ref().map(|(_, at)| *at), later(&|stands| stands.open)),
            other @ (Access::Always | Access::Unbound | Access::Running { .. }) => prop_assert!(false, "{:?}", other),
        }
        if let Some(frost) = stands.freezes.iter().find(|frost| frost.exempt.is_none()) {
            let thaws = later(&|stands| !stands.frozen);
            prop_assert!(frost.until == thaws || thaws.is_none());
        }
        let slot = next_slot(&calendars, &Asked { at: begin, ..question.asked() }, TimeDelta::minutes(1));
        let first = (0..8 * 1440).map(|n| begin + TimeDelta::minutes(n)).find(|at| ask(*at).reasons.is_empty());
        prop_assert!(first.is_none() || slot.map(|slot| slot.begin) == first, "{:?} {:?}", slot, first);
    }
}
