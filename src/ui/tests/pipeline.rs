//! Tests of the pipeline screen: what it says, how marks move, which acts its keys give.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::control::world::{LogView, SourceFact};
use crate::model::capability::Capability;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::pipeline::{Builder, LogPart, QueuedRun, Run, RunId, RunReading, RunState};
use crate::model::reading::Fact;
use crate::model::run_gate::RunGate;
use crate::model::text::Text;

fn change(world: &mut World, with: impl FnOnce(&mut Fact<RunReading>)) {
    let mut source = (**world.sources.get(&fixture::name("ci")).unwrap()).clone();
    if let SourceFact::Ci(fact) = &mut source.fact {
        with(fact);
    }
    world.sources.insert(fixture::name("ci"), Arc::new(source));
    world.generation += 1;
}

fn reading(world: &mut World, with: impl FnOnce(&mut RunReading)) {
    change(world, |fact| with(Arc::make_mut(fact.value.as_mut().unwrap())));
}

fn known(world: &World) -> Vec<Run> {
    world.runs(&fixture::name("ci")).unwrap().value.as_ref().unwrap().builders["checkout-deploy"].runs.clone()
}

/// The shop, and a builder that builds checkout: one run failed in its second step, one waits.
pub(super) fn world() -> World {
    let mut world = fixture::world();
    let mut failed = known(&world)[1].clone();
    failed.id.number = 4410;
    failed.builder = Text::clean("checkout");
    failed.state = RunState::Failed;
    failed.ended = Some(fixture::at("14:02:25"));
    failed.reason = Text::clean("push to main");
    failed.steps[1].state = RunState::Failed;
    failed.steps[1].words = Text::clean("2 of 1,204 tests failed");
    failed.steps.truncate(2);
    let queued = QueuedRun {
        request: 77,
        builder: Text::clean("checkout"),
        asked: Some(fixture::at("14:02:02")),
        reason: Text::clean("push to main"),
        properties: BTreeMap::new(),
    };
    reading(&mut world, |reading| {
        reading
            .builders
            .insert("checkout".to_owned(), Builder { name: Text::clean("checkout"), id: 2, runs: vec![failed], queued: vec![queued] });
    });
    world
}

/// The shop in which the newest run of checkout is the one that failed, at a backend that counts attempts.
pub(super) fn failed_last() -> World {
    let mut world = world();
    reading(&mut world, |reading| {
        reading.builders.remove("checkout-deploy");
        let builder = reading.builders.get_mut("checkout").unwrap();
        builder.queued.clear();
        builder.runs[0].attempt = Some(1);
    });
    with_log(&mut world, 901, 3, true);
    world
}

fn with_log(world: &mut World, log: u64, total: u64, complete: bool) {
    let lines = (0..total).map(|n| Text::clean(&format!("line {n}: copying layer sha256:77e0b1c2"))).collect();
    let view = LogView { backend: fixture::name("ci"), log, part: LogPart { first: 0, lines, total, complete }, trouble: None };
    world.logs.insert((fixture::name("ci"), log), Arc::new(view));
}

fn desk(world: World, size: (u16, u16)) -> Desk {
    let mut desk = at(world, Theme::ascii(), size);
    desk.press("2");
    desk
}

fn looked(desk: &Desk) -> Option<RunId> {
    desk.acts.iter().rev().find_map(|act| if let Act::Look { run, .. } = act { run.clone() } else { None })
}

#[test]
fn the_newest_run_is_marked_and_its_steps_are_asked_for() {
    let mut desk = desk(world(), (80, 24));
    desk.sees("*> ci/4417");
    assert_eq!(looked(&desk).unwrap().to_string(), "ci/4417");
    desk.sees("git + 10s -- build + 2m10 --*deploy > 50s");
    desk.sees("in the queue of checkout for 1m");
    desk.press("j").sees("steps of ci/4410");
    assert_eq!(looked(&desk).unwrap().to_string(), "ci/4410");
    desk.sees("build failed 2m10  2 of 1,204 tests failed");
    desk.press("<left>").sees("git passed 10s");
}

#[test]
fn retry_and_cancel_act_on_the_marked_run_and_start_on_the_pipeline() {
    let mut desk = desk(world(), (80, 24));
    desk.press("r").sees("no run that is over is marked");
    desk.press("C <ret>");
    desk.press("<esc> j r <ret> <esc>");
    desk.press("C").sees("no run that is under way is marked");
    desk.press("S <ret>");
    let asked: Vec<_> =
        desk.executed().iter().map(|plan| (plan.intent.verb, plan.intent.args.run.as_ref().map(ToString::to_string))).collect();
    assert_eq!(asked, [(Verb::Cancel, Some("ci/4417".to_owned())), (Verb::Retry, Some("ci/4410".to_owned())), (Verb::Start, None)]);
}

#[test]
fn a_newer_run_does_not_move_what_is_marked() {
    let mut desk = desk(world(), (80, 24));
    desk.press("j");
    let place = |desk: &Desk| desk.text().lines().position(|line| line.starts_with('*'));
    let before = place(&desk);
    let mut newer = known(&desk.world)[0].clone();
    newer.id.number = 4420;
    newer.started = Some(fixture::at("14:03:00"));
    reading(&mut desk.world, |reading| reading.builders.get_mut("checkout").unwrap().runs.insert(0, newer));
    assert_eq!(place(&desk), before);
    desk.sees("1 newer, u to update");
    desk.press("u").sees("*> ci/4420");
}

#[test]
fn a_log_follows_its_end_and_stands_still_when_it_is_read() {
    let mut desk = desk(world(), (80, 24));
    desk.press("l").sees("log stdio of deploy, ci/4417: loading");
    assert!(desk.acts.contains(&Act::FollowLog { backend: fixture::name("ci"), log: 902 }));
    with_log(&mut desk.world, 902, 100, false);
    desk.look();
    desk.sees("100 lines, follows");
    desk.sees(" 100 line 99:");
    desk.press("k k").sees("stands still, f to follow");
    desk.sees("  98 line 97:");
    assert!(!desk.text().contains("line 98:"));
    with_log(&mut desk.world, 902, 150, false);
    desk.look();
    desk.sees("  98 line 97:");
    desk.press("f").sees(" 150 line 149:");
    desk.press("g").sees("   1 line 0:");
    desk.press("G").sees(" 150 line 149:");
    desk.press("f");
    with_log(&mut desk.world, 902, 160, true);
    desk.look();
    desk.sees("stands still");
    desk.press("f").sees("160 lines, complete");
    desk.press("<tab> j").sees("steps of ci/4410");
}

#[test]
fn a_log_is_read_only_while_it_is_on_the_glass() {
    let mut desk = desk(world(), (80, 24));
    let reads = |desk: &mut Desk| {
        std::mem::take(&mut desk.acts).into_iter().filter(|act| matches!(act, Act::FollowLog { .. } | Act::Unfollow)).collect::<Vec<_>>()
    };
    let follow = |log| Act::FollowLog { backend: fixture::name("ci"), log };
    desk.press("l");
    assert_eq!(reads(&mut desk), [follow(902)]);
    desk.press("1");
    assert_eq!(reads(&mut desk), [Act::Unfollow]);
    desk.press("2");
    assert_eq!(reads(&mut desk), [follow(902)]);
    desk.press("<left> l");
    assert_eq!(reads(&mut desk), [Act::Unfollow, follow(901)]);
    desk.press("l");
    assert_eq!(reads(&mut desk), [Act::Unfollow]);
    desk.press("l <esc>").sees("pipeline");
    assert_eq!(reads(&mut desk), [follow(901), Act::Unfollow]);
    desk.press("f").sees("no log is open");
}

#[test]
fn every_kind_of_nothing_says_what_to_do() {
    let says = |change: &dyn Fn(&mut World), words: &[&str]| {
        let mut world = world();
        change(&mut world);
        let desk = desk(world, (120, 40));
        for words in words {
            desk.sees(words);
        }
    };
    let trouble = |kind: PortErrorKind, fresh: bool| {
        move |world: &mut World| {
            change(world, |fact| {
                fact.trouble = Some(PortError::new(kind.clone(), &fixture::name("ci"), "read runs", "refused"));
                if fresh { fact.seen = Some(fixture::before(90)) } else { (fact.value, fact.seen) = (None, None) }
            });
        }
    };
    says(&|world| change(world, |fact| *fact = Fact::default()), &["loading: ci was not read yet"]);
    says(&trouble(PortErrorKind::Unreachable, false), &["unreachable: failed to read runs at ci: refused; check that it runs"]);
    says(&trouble(PortErrorKind::Unauthorised, false), &["forbidden: failed to read runs at ci", "check the token"]);
    says(&trouble(PortErrorKind::Unreachable, true), &["what ci says here is 1m30 old: failed to read runs", "ci/4417", "~ 50s"]);
    says(
        &|world| {
            reading(world, |reading| {
                reading.builders.clear();
                reading.missing = vec![Text::clean("checkout")];
            });
        },
        &["ci has no builder `checkout`, which builds it: compare the name", "loading: `checkout-deploy`, which deploys it"],
    );
    says(
        &|world| {
            reading(world, |reading| {
                reading.builders.values_mut().for_each(|builder| (builder.runs, builder.queued) = (Vec::new(), Vec::new()));
            });
        },
        &["nothing there: `checkout`, which builds it, never ran; S starts it"],
    );
    let bare = |world: &mut World| {
        let mut catalog = (*world.catalog).clone();
        for service in catalog.services.values_mut() {
            service.pipeline = None;
            service.deploy.values_mut().for_each(|deploy| deploy.deploy = None);
        }
        world.catalog = Arc::new(catalog);
    };
    says(&bare, &["nothing configured: checkout@prod has no pipeline", "Write `pipeline` into the service checkout"]);
}

#[test]
fn many_steps_stay_in_their_rows_with_the_marked_one_among_them() {
    let mut world = world();
    reading(&mut world, |reading| {
        let run = &mut reading.builders.get_mut("checkout-deploy").unwrap().runs[0];
        let step = run.steps[0].clone();
        run.steps = (0..40)
            .map(|number| crate::model::pipeline::RunStep { number, name: Text::clean(&format!("step-{number}")), ..step.clone() })
            .collect();
    });
    let mut desk = desk(world, (80, 24));
    desk.sees("*step-39 + 10s");
    desk.sees("40 of 40");
    desk.press(&["<left>"; 20].join(" ")).sees("*step-19 + 10s");
}

#[test]
fn the_pipeline_as_it_looks() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        for theme in [Theme::standard(), Theme::monochrome(), Theme::ascii()] {
            let text = render::text(&world(), &fixture::now(), Screen::Pipeline, Some(&fixture::checkout()), size, &theme);
            let styles = render::styles(&world(), &fixture::now(), Screen::Pipeline, Some(&fixture::checkout()), size, &theme);
            insta::assert_snapshot!(format!("builds-{}x{}-{}", size.0, size.1, theme.name), format!("{text}{styles}"));
        }
        let mut desk = desk(world(), size);
        desk.press("l");
        with_log(&mut desk.world, 902, 100, false);
        insta::assert_snapshot!(format!("log-{}x{}", size.0, size.1), desk.text());
    }
}

/// The shop with a run that Bo asked for and that waits at the gate of production.
fn gated() -> World {
    let mut world = world();
    let mut catalog = (*world.catalog).clone();
    let person = |named: &str| {
        let mut person = catalog.people[0].clone();
        (person.name, person.logins) = (fixture::name(named), vec![("buildbot".to_owned(), format!("{named}-gh"))]);
        person
    };
    catalog.people = vec![person("ana"), person("bo"), person("cy")];
    world.catalog = Arc::new(catalog);
    let mut run = known(&world)[0].clone();
    (run.id.number, run.builder, run.attempt) = (4421, Text::clean("checkout"), Some(1));
    (run.by, run.asked_by, run.words) = (Text::clean("bo-gh"), vec![Text::clean("bo-gh")], Text::clean("waits at a gate"));
    (run.asked, run.started) = (Some(fixture::at("14:00:30")), Some(fixture::at("14:00:35")));
    run.steps[2].words = Text::clean("waits at a gate");
    run.gates = vec![RunGate {
        id: 7,
        name: Text::clean("prod"),
        may_answer: true,
        reviewers: vec![Text::clean("cy-gh"), Text::clean("release")],
        until: None,
        since: Some(fixture::at("14:01:22")),
    }];
    reading(&mut world, |reading| reading.builders.get_mut("checkout").unwrap().runs.insert(0, run));
    let mut source = (**world.sources.get(&fixture::name("ci")).unwrap()).clone();
    source.capabilities =
        &[Capability::ReadRuns, Capability::Logs, Capability::Start, Capability::Retry, Capability::Cancel, Capability::Answer];
    world.sources.insert(fixture::name("ci"), Arc::new(source));
    world
}

fn on_the_gate(world: &mut World, with: impl FnOnce(&mut Run)) {
    reading(world, |reading| with(&mut reading.builders.get_mut("checkout").unwrap().runs[0]));
}

#[test]
fn a_run_at_a_gate_says_who_may_open_it_there_and_here_and_its_keys_open_the_plan() {
    let mut desk = desk(gated(), (120, 40));
    desk.sees("steps of ci/4421");
    desk.sees("? gate prod waits 2m, then deploy");
    desk.sees("a approve  x reject");
    desk.sees("there: ci asks one of cy-gh, release and takes our account's answer");
    desk.sees("here: ana or cy may open it; you may");
    desk.press("a <esc> x <esc>");
    desk.press("j a").sees("run ci/4417 at no gate of it; mark a run that waits");
    desk.press("k a <ret>");
    let asked: Vec<_> =
        desk.executed().iter().map(|plan| (plan.intent.verb, plan.intent.args.run.as_ref().map(ToString::to_string))).collect();
    assert_eq!(asked.last(), Some(&(Verb::Approve, Some("ci/4421".to_owned()))), "{asked:?}");
}

#[test]
fn who_may_not_answer_is_told_why() {
    let says = |change: &dyn Fn(&mut World), words: &str| {
        let mut world = gated();
        change(&mut world);
        let mut desk = desk(world, (120, 40));
        desk.sees(words);
        assert!(!desk.text().contains("a approve"), "{}", desk.text());
        desk.press("1");
        assert!(!desk.text().contains("waits at prod"), "no row of what the reader cannot do: {}", desk.text());
    };
    let own = |world: &mut World| on_the_gate(world, |run| run.asked_by.push(Text::clean("ANA-gh")));
    says(&own, "here: cy may open it; you may not: ana asked for ci/4421 (as ANA-gh)");
    says(&|world| on_the_gate(world, |run| run.asked_by.clear()), "here: nobody who is configured may open it; you may not: who asked");
    says(&|world| on_the_gate(world, |run| run.gates[0].may_answer = false), "and takes no answer at prod from our account");
    says(&|world| on_the_gate(world, |run| run.gates[0].name = Text::clean("staging")), "waits at staging, the gate of checkout@staging");
}

#[test]
fn the_board_asks_for_a_run_at_a_gate_whoever_may_open_it() {
    let mut desk = at(gated(), Theme::ascii(), (120, 40));
    desk.sees("run ci/4421 with a1b2c3d4 waits at prod, asked for by bo-gh: open it?");
    desk.press("a").sees("APPROVE checkout@prod");
    desk.press("<esc> x").sees("REJECT checkout@prod");
}

#[test]
fn a_run_at_a_gate_as_it_looks() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let desk = desk(gated(), size);
        insta::assert_snapshot!(format!("gate-{}x{}", size.0, size.1), desk.text());
        let board = render::text(&gated(), &fixture::now(), Screen::Board, None, size, &Theme::ascii());
        insta::assert_snapshot!(format!("gate-board-{}x{}", size.0, size.1), board);
    }
}

#[test]
fn what_failed_is_repeated_alone_where_the_backend_counts_attempts() {
    let mut world = world();
    let failed = |world: &mut World, attempt| {
        reading(world, |reading| reading.builders.get_mut("checkout").unwrap().runs[0].attempt = attempt);
    };
    let mut bare = desk(world.clone(), (120, 40));
    bare.press("j ctrl-r").sees("ci repeats runs only as a whole");
    failed(&mut world, Some(2));
    let mut desk = desk(world, (120, 40));
    desk.press("ctrl-r").sees("no run that is over is marked");
    desk.press("j ctrl-r <ret>");
    assert!(desk.executed().iter().any(|plan| plan.intent.verb == Verb::Retry && plan.intent.args.failed_only));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_row_is_over_its_width_whatever_a_backend_says(width in 80_u16..=200, height in 24_u16..=60, said in ".{0,60}", keys in proptest::collection::vec(0..9_usize, 0..12)) {
        let mut world = world();
        let said = Text::clean(&said);
        reading(&mut world, |reading| {
            for run in reading.builders.values_mut().flat_map(|builder| &mut builder.runs) {
                (run.reason, run.by, run.words) = (said.clone(), said.clone(), said.clone());
                run.steps.iter_mut().for_each(|step| (step.name, step.words) = (said.clone(), said.clone()));
            }
        });
        with_log(&mut world, 902, 30, false);
        Arc::make_mut(world.logs.get_mut(&(fixture::name("ci"), 902)).unwrap()).part.lines.push(Text::clean(&said.as_str().repeat(20)));
        let mut desk = desk(world, (width, height));
        for key in keys {
            desk.press(["j", "k", "l", "f", "<tab>", "<left>", "<pageup>", "G", "<esc>"][key]);
        }
        let text = desk.text();
        prop_assert!(text.lines().all(|line| crate::ui::row::cells(line) <= usize::from(width)));
        prop_assert_eq!(text.lines().count(), usize::from(height));
    }
}
