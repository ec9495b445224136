//! Measures the verdict over one plan in a room of 10,000 services, 1,000 rules about persons, 500 windows and 50 freezes, beside the
//! same verdict in a room of ten services: what a person waits for must not grow with the estate.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use gonogo::config::load::load;
use gonogo::config::surroundings::{Flags, Surroundings};
use gonogo::control::gate::{self, AtBegin};
use gonogo::control::planner;
use gonogo::control::world::World;
use gonogo::model::approval::{Approval, Waiting};
use gonogo::model::catalog::Catalog;
use gonogo::model::intent::{Arguments, Intent, Verb};
use gonogo::model::name::PlanId;
use gonogo::model::operator::Actor;
use gonogo::model::plan::Plan;
use gonogo::model::review::{Cause, Review};
use gonogo::model::rules::RuleStanding;
use gonogo::model::share::Percent;
use gonogo::model::text::Text;
use gonogo::model::time::{Boot, Moment};
use gonogo::model::verdict::Verdict;
use gonogo::ports::ledger::AtCommit;

/// What can go wrong while measuring.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// The most that a verdict may take.
const MOST: Duration = Duration::from_millis(1);
/// Verdicts of each kind, of which the middle one counts.
const ROUNDS: u32 = 1_000;

/// How large a room is.
struct Size {
    services: usize,
    rules: usize,
    windows: usize,
}

fn main() -> Outcome<()> {
    let small = measure(&Size { services: 10, rules: 10, windows: 5 })?;
    let large = measure(&Size { services: 10_000, rules: 1_000, windows: 500 })?;
    let mut out = std::io::stdout();
    for ((name, small), (_, large)) in small.into_iter().zip(large) {
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        let word = if large < MOST { "within" } else { "PAST" };
        writeln!(out, "{name:<44} {small:>10.1?} {large:>10.1?}  ratio {ratio:>6.1}  {word} 1 ms")?;
    }
    Ok(())
}

fn measure(size: &Size) -> Outcome<Vec<(&'static str, Duration)>> {
    let at: DateTime<Utc> = "2026-06-02T10:00:30Z".parse()?;
    let now = Moment { wall: at, boot: Boot(1_000_000) };
    let catalog = Arc::new(catalog(size)?);
    let requester = Actor::Person("person-0".parse()?);
    let mut world = World::new(Arc::clone(&catalog), requester.clone(), false, now);
    let target = format!("service-{:05}@prod", size.services / 2).parse()?;
    let args = Arguments { percent: Percent::new(20), ..Arguments::default() };
    let intent = Intent { verb: Verb::Shift, target, args, requester, reason: Text::clean("a reason") };
    let mut plan = planner::plan(&world, intent, &now, "1")?;
    // Nothing is read here; what a reading would have said is not the verdict's work.
    plan.impossible = Vec::new();
    let met = Plan { preconditions: Vec::new(), checks: Vec::new(), ..plan.clone() };
    let approval = |person: usize| Approval {
        person: format!("person-{person}"),
        at,
        expires: at + TimeDelta::hours(1),
        evidence: String::new(),
        is_own_key: true,
        words: Text::empty(),
        authors: None,
    };
    let approvals = vec![approval(1), approval(2)];
    let others = (0_u8..100).map(|n| Waiting { plan: Plan { id: PlanId([n; 32]), ..met.clone() }, approvals: approvals.clone() });
    world.waiting = Arc::new(others.chain([Waiting { plan: met.clone(), approvals: approvals.clone() }]).collect());
    let reviews: Vec<Review> = (0_u8..100)
        .map(|n| Review {
            plan: PlanId([n; 32]),
            target: met.intent.target.clone(),
            verb: Verb::Shift,
            by: "person-3".to_owned(),
            reason: Text::empty(),
            cause: Cause::Emergency,
            at,
            within: Duration::from_hours(72),
            due: Some(at + TimeDelta::hours(72)),
            closed: None,
            trouble: None,
        })
        .collect();
    world.reviews = Arc::new(reviews.clone());
    if !matches!(gate::judge(&world, &met, &now), Verdict::Permit(_)) {
        return Err(format!("a permit was to be measured: {:?}", gate::judge(&world, &met, &now)).into());
    }
    let state = world.target(met.target()).map(|view| view.state.clone()).ok_or("a target")?;
    let (approvals, waiting) = (approvals.clone(), world.waiting.iter().map(|one| one.plan.clone()).collect());
    let grants = Vec::new();
    let found = AtCommit { state, approvals, waiting, owed: reviews, grants, is_own_key: true, at, rules: RuleStanding::default() };
    let by = AtBegin { catalog: &catalog, spans: &world.calendars.spans, asked: &now, read_only: false, older: None };
    let waits = World { waiting: Arc::new(Vec::new()), ..world.clone() };
    Ok(vec![
        ("permit, with all approvals", middle(|| gate::judge(&world, &met, &now))),
        ("second person, with who may", middle(|| gate::judge(&waits, &met, &now))),
        ("read anew at the confirmation, and judged", middle(|| gate::judge(&world, &planner::recheck(&world, &plan, &now), &now))),
        ("inside the transaction", middle(|| gate::judge_at_commit(&by, &met, &found))),
    ])
}

fn middle<T>(mut work: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            black_box(work());
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The catalog of a configuration, read as any is.
fn catalog(size: &Size) -> Outcome<Catalog> {
    let home = tempfile::tempdir()?;
    let file = home.path().join("gonogo.toml");
    std::fs::write(&file, configuration(size)?)?;
    let inside = |name: &str| home.path().join(name);
    let around = Surroundings {
        env: BTreeMap::new(),
        config_dir: inside("config"),
        data_dir: inside("data"),
        working_dir: home.path().to_owned(),
        trust_dir: inside("trust"),
    };
    let flags = Flags { config: Some(file), theme: None, keymap: None, read_only: false };
    let loaded = load(&around, &flags).map_err(|problems| problems.to_string())?;
    Ok(Catalog::clone(&loaded.config.catalog))
}

/// Every service has a protection of its own, every person a rule, every window and freeze covers what is judged.
fn configuration(size: &Size) -> Result<String, std::fmt::Error> {
    let mut text = String::from(
        "[[environment]]\nname = \"prod\"\norder = 1\ncheck = { freshness = \"warn\", alerts = \"warn\", way_back = \"warn\" }\n\
         way_back_proven_within = \"30d\"\nstandard = { verbs = [\"shift\"], max_percent = 5 }\n\
         emergency = { severities = [\"critical\"], approvals = 1 }\n[environment.protection]\napprovals = 2\n\
         approver_roles = [\"captain\"]\nactor_roles = [\"captain\", \"on-call\"]\nalso = [{ teams = [\"payments\"], approvals = 1 }]\n",
    );
    for n in 0..size.rules {
        write!(
            text,
            "\n[[person]]\nname = \"person-{n}\"\nteams = [\"payments\"]\nroles = [{{ role = \"captain\", environments = [\"prod\"] }}]\n"
        )?;
    }
    for n in 0..size.services {
        write!(text, "\n[[service]]\nname = \"service-{n:05}\"\nteam = \"payments\"\n[service.deploy.prod]\nstrategy = \"canary\"\n")?;
    }
    for n in 0..size.windows {
        let minute = |n: usize| format!("{:02}:{:02}", n / 60 % 24, n % 60);
        let (from, to) = (minute(600 + n * 2), minute(601 + n * 2));
        write!(
            text,
            "\n[[window]]\nname = \"w{n}\"\nenvironments = [\"prod\"]\nteams = [\"payments\"]\nfrom = \"{from}\"\nto = \"{to}\"\ntimezone = \"Europe/Berlin\"\n"
        )?;
        if n % 10 == 9 {
            write!(
                text,
                "\n[[freeze]]\nname = \"f{n}\"\nenvironments = [\"prod\"]\nreason = \"a reason\"\nfrom = \"{from}\"\nto = \"{to}\"\ntimezone = \"Europe/Berlin\"\n"
            )?;
        }
    }
    text.push_str(
        "\n[[window]]\nname = \"open\"\nenvironments = [\"prod\"]\nfrom = \"11:00\"\nto = \"13:00\"\ntimezone = \"Europe/Berlin\"\n",
    );
    Ok(text)
}
