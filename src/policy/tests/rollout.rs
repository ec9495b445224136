//! What a rollout does next: by examples, and what must never be by properties.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use crate::model::catalog::{Assurance, Guard, Strategy};
use crate::model::flag::{FlagMark, FlagRef};
use crate::model::intent::{Direction, Verb};
use crate::model::name::PlanId;
use crate::model::operator::Actor;
use crate::model::part::{Part, PartOf};
use crate::model::plan::{Plan, StepEffect};
use crate::model::rollout::{Hold, Rollout};
use crate::model::share::Percent;
use crate::model::slot::Slot;
use crate::model::spec::{Course, Spec, SpecStep, Stopped};
use crate::model::strategy::Trigger;
use crate::model::text::Text;
use crate::model::together::{OnFailure, Together};
use crate::model::verdict::Verdict;
use crate::model::workload::{WorkloadChange, WorkloadForm, WorkloadKind, WorkloadName};
use crate::policy::judge::{Case, judge};
use crate::policy::rollout::{Checks, Facts, Harm, Next, Other, OtherAt, Rolled, Says, Stands, against, next, together};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn course(step: Option<u32>) -> Course {
    let step_to = |percent| SpecStep { effects: Vec::new(), pace_s: None, paused: percent == 50, percent: Percent::new(percent).unwrap() };
    Course {
        spec: Spec {
            after_s: 10,
            back: None,
            bake_s: 100,
            budgets: std::collections::BTreeMap::new(),
            deadline_s: 600,
            ends: Vec::new(),
            judged: true,
            steps: [5, 20, 50, 100].map(step_to).to_vec(),
            strategy: Strategy::Canary,
            mirror: None,
            testers: None,
            checks: Vec::new(),
            together: None,
            trial: Slot::Second,
            wait_s: 60,
            way_back: vec![Trigger::Judge, Trigger::Limit],
        },
        by: Actor::Person("ana".parse().unwrap()),
        ticket: None,
        step,
        since: at(0),
        rolled: None,
        way_back: None,
        stopped: None,
    }
}

fn facts(course: &Course, seconds: i64) -> Facts<'_> {
    Facts {
        course,
        hold: None,
        under_way: None,
        stands: Stands::AtStep,
        rolled: Rolled::No,
        says: Says::Pass,
        harm: None,
        unseen: None,
        checks: Checks::Hold,
        at: at(seconds),
    }
}

fn harm(trigger: Trigger, since: i64, seen: i64) -> Harm {
    Harm { trigger, since: at(since), seen: at(seen), words: "errors WORSE".to_owned() }
}

fn percent(percent: u8) -> Percent {
    Percent::new(percent).unwrap()
}

#[test]
fn it_begins_at_once_waits_its_time_goes_on_when_judged_and_ends_after_its_watch() {
    assert_eq!(next(&facts(&course(None), 0)), Next::Step { step: 0, percent: percent(5) });
    let here = course(Some(0));
    assert_eq!(next(&facts(&here, 59)), Next::StepAt { percent: percent(20), judged: true, at: at(60) });
    assert_eq!(next(&facts(&here, 60)), Next::Step { step: 1, percent: percent(20) });
    let early = Facts { says: Says::Early("8 more".to_owned()), ..facts(&here, 60) };
    assert_eq!(next(&early), Next::Evidence { percent: percent(20), words: "8 more".to_owned() });
    assert!(matches!(next(&Facts { at: at(600), ..early }), Next::Person(words) if words.contains("8 more")));
    assert!(matches!(next(&facts(&course(Some(1)), 60)), Next::Person(words) if words.starts_with("50 % waits")));
    let last = course(Some(3));
    assert_eq!(next(&facts(&last, 99)), Next::Bakes { until: at(100) });
    assert_eq!(next(&Facts { says: Says::Nothing("all traffic is there".to_owned()), ..facts(&last, 100) }), Next::End);
    let unseen = Facts { unseen: Some("prom is stale".to_owned()), ..facts(&last, 100) };
    assert!(matches!(next(&unseen), Next::Holds(words) if words == "would end, but prom is stale"));
}

#[test]
fn a_ramp_goes_on_by_its_pace_unless_judged_worse_and_never_without_evidence() {
    let mut here = course(Some(1));
    (here.spec.steps[1].pace_s, here.spec.steps[2].paused) = (Some(20), false);
    assert_eq!(next(&facts(&here, 19)), Next::StepAt { percent: percent(50), judged: false, at: at(20) });
    let early = Facts { says: Says::Early("8 more".to_owned()), ..facts(&here, 20) };
    assert_eq!(next(&early), Next::Step { step: 2, percent: percent(50) });
    for says in [Says::Early("8 more".to_owned()), Says::Pass] {
        let unseen = Facts { says, unseen: Some("prom is stale".to_owned()), ..facts(&here, 20) };
        assert!(matches!(next(&unseen), Next::Holds(words) if words == "would go to 50 %, but prom is stale"));
    }
    let nothing = Facts { says: Says::Nothing("errors has no data".to_owned()), ..facts(&here, 20) };
    assert!(matches!(next(&nothing), Next::Holds(_)));
    assert!(matches!(next(&Facts { says: Says::Fail, ..facts(&here, 20) }), Next::Person(_)));
    // Its end is a step like any other.
    let end = course(Some(2));
    assert!(matches!(next(&Facts { says: Says::Early("8 more".to_owned()), ..facts(&end, 60) }), Next::Evidence { .. }));
}

#[test]
fn harm_is_counted_in_what_was_read_and_sends_it_back_over_a_hold() {
    let here = course(Some(1));
    let hold = Hold { by: "cy".to_owned(), since: at(5), reason: Text::empty(), deed: PlanId([1; 32]), share: None };
    let held = Facts { hold: Some(&hold), ..facts(&here, 500) };
    assert!(matches!(next(&held), Next::Held(words) if words.starts_with("held by cy")));
    let seen = |since, seen| Facts { harm: Some(harm(Trigger::Limit, since, seen)), ..held.clone() };
    assert!(matches!(next(&seen(100, 109)), Next::BackAt { at: due, .. } if due == at(110)), "whatever the clock says");
    assert!(matches!(next(&seen(100, 110)), Next::Back { trigger: Trigger::Limit, .. }));
    let other = Facts { harm: Some(harm(Trigger::Alert, 100, 400)), ..facts(&here, 500) };
    assert!(matches!(next(&other), Next::Step { .. } | Next::Person(_)), "no rule for alerts");
}

#[test]
fn it_stands_still_for_persons_who_stopped_it_and_for_other_hands() {
    let stopped = |stranded| Course {
        stopped: Some(Stopped { at: at(1), deed: PlanId([2; 32]), words: Text::clean("its step 2 failed"), stranded }),
        ..course(Some(0))
    };
    let (once, stranded) = (stopped(false), stopped(true));
    assert_eq!(next(&facts(&once, 60)), Next::Person("its step 2 failed".to_owned()));
    let back = Facts { harm: Some(harm(Trigger::Judge, 0, 30)), ..facts(&once, 60) };
    assert!(matches!(next(&back), Next::Back { .. }), "its way back stays armed");
    let back = Facts { course: &stranded, ..back };
    assert!(matches!(next(&back), Next::Person(words) if words.contains("nothing more is tried by itself")));
    let here = course(Some(0));
    let moved = Facts { stands: Stands::Elsewhere("another hand".to_owned()), ..facts(&here, 60) };
    assert_eq!(next(&moved), Next::Person("another hand".to_owned()));
}

/// The deed of a rule: what `course` does next, by whoever started it.
fn part(course: &Course, part: Part) -> Plan {
    let started = PlanId([7; 32]);
    let mut plan = super::plan(Verb::Shift, Direction::Forward);
    plan.intent.requester = Actor::Rule { plan: started, of: Box::new(course.by.clone()) };
    plan.order.requester = plan.intent.requester.to_string();
    plan.order.of = Some(PartOf { part, rollout: started });
    match part {
        Part::Step { step } => {
            let to = course.spec.step(step).unwrap();
            plan.order.effects.clone_from(&to.effects);
            plan.order.percent = Some(to.percent);
        }
        Part::WayBack => {
            plan.direction = Direction::Back;
            (plan.order.percent, plan.order.ends) = (Some(Percent::NONE), Some(Slot::First));
        }
        Part::End => plan.order.ends = Some(Slot::Second),
    }
    plan
}

fn under_way(course: Course) -> Rollout {
    Rollout { begun: at(0), by: "ana".to_owned(), plan: Some(PlanId([7; 32])), from: None, to: None, course: Some(Box::new(course)) }
}

#[test]
fn p8_a_way_back_sets_the_flags_of_its_steps_as_they_were_and_no_others() {
    let mark = |on, share| FlagMark { on, percent: Percent::new(share), rest: String::new() };
    let flag = |name: &str, on, share, was: FlagMark| StepEffect::Flag {
        backend: "flags".parse().unwrap(),
        flag: FlagRef { name: name.to_owned(), project: String::new(), environment: String::new() },
        on,
        percent: share,
        was,
    };
    let mut here = course(Some(1));
    here.spec.steps[1].effects = vec![flag("new", true, Percent::new(40), mark(false, 5)), flag("old", false, None, mark(true, 80))];
    let refused = |effects: Vec<StepEffect>| {
        let mut plan = part(&here, Part::WayBack);
        plan.order.effects = effects;
        !against(&plan, Some(&under_way(here.clone()))).is_empty()
    };
    let back = || vec![flag("new", false, None, mark(true, 40)), flag("old", true, Percent::new(80), mark(false, 80))];
    assert!(!refused(back()) && !refused(vec![]));
    assert!(refused(vec![flag("new", true, Percent::new(20), mark(true, 40))]), "not to something else");
    assert!(refused(vec![flag("other", false, None, mark(true, 40))]), "not another flag");
    assert!(refused(vec![flag("old", true, Percent::new(100), mark(false, 80))]), "not to more users than before");
}

/// P7, P8: a rule orders what was agreed to and nothing else, for it asks nobody again.
#[test]
fn p8_a_rule_may_do_what_the_rollout_does_next_and_nothing_else() {
    let (here, last) = (course(Some(0)), course(Some(3)));
    let refused = |plan: &Plan, course: &Course| !against(plan, Some(&under_way(course.clone()))).is_empty();
    let next = part(&here, Part::Step { step: 1 });
    assert!(!refused(&next, &here) && !refused(&part(&here, Part::WayBack), &here) && !refused(&part(&last, Part::End), &last));
    assert!(refused(&part(&here, Part::Step { step: 2 }), &here), "not a step further");
    assert!(refused(&part(&here, Part::Step { step: 0 }), &here), "not one again");
    assert!(refused(&part(&here, Part::End), &here), "not the end before the last step");
    let weights = StepEffect::Weights { backend: "edge".parse().unwrap(), pool: "be".parse().unwrap(), weights: [].into() };
    let changed = |change: &dyn Fn(&mut Plan)| {
        let mut plan = next.clone();
        change(&mut plan);
        refused(&plan, &here)
    };
    assert!(changed(&|plan| plan.order.effects = vec![weights.clone()]), "not other weights");
    assert!(changed(&|plan| plan.order.percent = Percent::new(50)), "not another share");
    assert!(changed(&|plan| plan.order.ends = Some(Slot::Second)), "not the end with it");
    assert!(changed(&|plan| plan.order.of = None), "not as a rule without its rollout");
    assert!(changed(&|plan| plan.intent.requester = Actor::Person("ana".parse().unwrap())), "not as a part by a person");
    assert!(changed(&|plan| plan.order.requester = "ana".to_owned()), "not in a name that the Order does not say");
    let of = |name: &str| Actor::Rule { plan: PlanId([7; 32]), of: Box::new(Actor::Person(name.parse().unwrap())) };
    let as_bo = |plan: &mut Plan| {
        plan.intent.requester = of("bo");
        plan.order.requester = of("bo").to_string();
    };
    assert!(changed(&as_bo), "not in the name of who did not start it");
    assert!(!against(&next, None).is_empty(), "not once it is over");
    let stopped = |stranded| Stopped { at: at(1), deed: PlanId([2; 32]), words: Text::empty(), stranded };
    let once = Course { stopped: Some(stopped(false)), ..here.clone() };
    assert!(refused(&next, &once) && !refused(&part(&here, Part::WayBack), &once), "stopped: only back");
    let fired = Course { way_back: Some(PlanId([3; 32])), ..here.clone() };
    let stranded = Course { stopped: Some(stopped(true)), ..here.clone() };
    let mut unarmed = here.clone();
    unarmed.spec.way_back.clear();
    assert!([fired, stranded, unarmed].iter().all(|course| refused(&part(&here, Part::WayBack), course)), "back once, and when armed");
}

/// The person's roles of now count, approvals and signatures were given with the plan that started it.
#[test]
fn p7_a_rule_may_no_more_than_whoever_started_it_may_now() {
    let here = course(Some(0));
    let (plan, rollout) = (part(&here, Part::Step { step: 1 }), under_way(here));
    let rule = super::protection(2);
    let gates = crate::model::gate::Gates::default();
    let people = super::people();
    let asked = |people: &[crate::model::operator::Person]| {
        let guard = Guard { assurance: Assurance::T1, ..super::guard(&rule, &gates) };
        judge(&Case { guard: Some(guard), is_own_key: Some(false), rollout: Some(&rollout), ..super::case(&plan, &[], people) })
    };
    assert!(matches!(asked(&people), Verdict::Permit(_)), "{:?}", asked(&people));
    let mut without = people.clone();
    without.iter_mut().filter(|person| person.name.as_str() == "ana").for_each(|person| person.roles.clear());
    assert!(matches!(asked(&without), Verdict::Deny(reasons) if reasons.iter().any(|reason| reason.rule == "role")));
}

fn any_says() -> impl proptest::strategy::Strategy<Value = Says> {
    prop_oneof![Just(Says::Pass), Just(Says::Fail), Just(Says::Early("more".to_owned())), Just(Says::Nothing("no data".to_owned()))]
}

proptest! {
    /// P13: never back without harm that was seen long enough on data that is there, never after it went back once; never on but
    /// judged, seen, unheld, at its step and after its time.
    #[test]
    fn p13_it_moves_only_on_evidence(
        step in proptest::option::of(0_u32..4),
        seconds in 0_i64..1000,
        says in any_says(),
        since in proptest::option::of(0_i64..500),
        lasted in 0_i64..60,
        is_unseen in any::<bool>(),
        is_held in any::<bool>(),
        is_moved in any::<bool>(),
        fired in any::<bool>(),
    ) {
        let course = Course { way_back: fired.then_some(PlanId([9; 32])), ..course(step) };
        let hold = Hold { by: "cy".to_owned(), since: at(5), reason: Text::empty(), deed: PlanId([1; 32]), share: None };
        let facts = Facts {
            hold: is_held.then_some(&hold),
            stands: if is_moved { Stands::Elsewhere("moved".to_owned()) } else { Stands::AtStep },
            says: says.clone(),
            harm: since.map(|since| harm(Trigger::Judge, since, since + lasted)),
            unseen: is_unseen.then(|| "stale".to_owned()),
            ..facts(&course, seconds)
        };
        match next(&facts) {
            Next::Back { .. } => prop_assert!(since.is_some() && lasted >= 10 && !is_unseen && !fired && step.is_some()),
            Next::Step { step: to, .. } => {
                prop_assert!(!is_held && !is_moved);
                prop_assert_eq!(to, step.map_or(0, |step| step + 1));
                prop_assert!(step.is_none() || (seconds >= 60 && says == Says::Pass && !is_unseen));
            }
            Next::End => prop_assert!(step == Some(3) && seconds >= 100 && !is_held && !is_moved && !is_unseen),
            Next::Moving(_)
            | Next::StepAt { .. }
            | Next::Evidence { .. }
            | Next::Rolls(_)
            | Next::Bakes { .. }
            | Next::BackAt { .. }
            | Next::Holds(_)
            | Next::Checking(_)
            | Next::Together(_)
            | Next::Held(_)
            | Next::Person(_) => {}
        }
    }
}

fn in_a_set(step: Option<u32>, on_failure: OnFailure) -> Course {
    let mut course = course(step);
    course.spec.together =
        Some(Together { nonce: "n1".to_owned(), on_failure, set: "trio".parse().unwrap(), with: vec!["ledger@prod".parse().unwrap()] });
    course
}

fn other(at: OtherAt) -> Vec<Other> {
    vec![Other { target: "ledger@prod".parse().unwrap(), at }]
}

fn under(reached: usize, next: Next) -> Vec<Other> {
    other(OtherAt::Under { reached, steps: 4, next })
}

#[test]
fn those_of_a_set_go_on_only_where_all_of_them_would() {
    let here = in_a_set(Some(0), OnFailure::Hold);
    let go = || Next::Step { step: 1, percent: percent(20) };
    let waits = |others: &[Other]| {
        let next = together(go(), &here, others);
        if let Next::Together(words) = next { words } else { format!("{next:?}") }
    };
    assert_eq!(waits(&other(OtherAt::NotStarted)), "ready for 20 %, and ledger@prod was not started yet: set trio moves together");
    let judged_yet = Next::Evidence { percent: percent(20), words: "8 more".to_owned() };
    assert_eq!(waits(&under(1, judged_yet.clone())), "ready for 20 %, and ledger@prod is not so far (8 more): set trio moves together");
    assert_eq!(together(go(), &here, &under(0, go())), Next::Together(waits(&under(0, go()))), "a step behind");
    assert_eq!(together(go(), &here, &under(1, go())), go(), "both are ready");
    assert_eq!(together(go(), &here, &under(2, judged_yet)), go(), "the other one is further already");
    let held_up = waits(&under(1, Next::Holds("prom is stale".to_owned())));
    let told = "ready for 20 %, and ledger@prod is not so far (prom is stale; see to that, or send it on with `gonogo promote ledger@prod`): set trio moves together";
    assert_eq!(held_up, told, "why, and what a person can do");
    let short = other(OtherAt::Under { reached: 1, steps: 1, next: Next::Bakes { until: at(5) } });
    assert_eq!(together(go(), &here, &short), go(), "one of fewer steps is at its last one");
    assert_eq!(together(go(), &here, &other(OtherAt::Promoted)), go());
    // What is not ready by itself is not made so by others.
    let wait = Next::StepAt { percent: percent(20), judged: true, at: at(60) };
    assert_eq!(together(wait.clone(), &here, &under(1, go())), wait);
    assert_eq!(together(go(), &course(Some(0)), &other(OtherAt::NotStarted)), go(), "alone it waits for nobody");
}

#[test]
fn those_of_a_set_end_together_and_go_back_by_its_rule() {
    let (holds, returns) = (in_a_set(Some(3), OnFailure::Hold), in_a_set(Some(3), OnFailure::Return));
    assert_eq!(together(Next::End, &holds, &under(4, Next::End)), Next::End);
    let bakes = || Next::Bakes { until: at(100) };
    assert!(matches!(together(Next::End, &holds, &under(4, bakes())), Next::Together(words) if words.starts_with("ready to end")));
    let back = || other(OtherAt::Back { at: at(50), words: "went back" });
    assert_eq!(together(bakes(), &holds, &back()), Next::Person("ledger@prod of set trio went back".to_owned()));
    let sent = Next::Back { trigger: Trigger::Together, words: "ledger@prod of set trio went back".to_owned() };
    assert_eq!(together(bakes(), &returns, &back()), sent);
    // A hold, and a step that failed, keep it from going on, not from going back with the others.
    assert_eq!(together(Next::Held("held by cy".to_owned()), &returns, &back()), sent);
    assert_eq!(together(Next::Person("its step 2 failed".to_owned()), &returns, &back()), sent);
    let held = Next::Held("held by cy".to_owned());
    assert_eq!(together(held.clone(), &holds, &back()), held);
    // What is under way is not disturbed, and a way back is begun once.
    let moving = Next::Moving("shift is under way".to_owned());
    assert_eq!(together(moving.clone(), &returns, &back()), moving);
    let once = Course { way_back: Some(PlanId([9; 32])), ..returns };
    assert_eq!(together(bakes(), &once, &back()), bakes());
}

fn workload(step: Option<u32>) -> Course {
    let mut course = course(step);
    let form = |image: &str, partition| WorkloadForm {
        images: [("main".to_owned(), image.to_owned())].into(),
        partition: Some(partition),
        ..WorkloadForm::default()
    };
    let name = WorkloadName { kind: WorkloadKind::StatefulSet, namespace: "shop".to_owned(), name: "web".to_owned() };
    let effect = |from: WorkloadForm, wish: WorkloadForm| StepEffect::Workload {
        backend: "k8s".parse().unwrap(),
        change: Box::new(WorkloadChange { workload: name.clone(), uid: "u1".to_owned(), from, wish }),
    };
    let step = |from, wish, of| SpecStep { effects: vec![effect(from, wish)], pace_s: None, paused: false, percent: percent(of) };
    course.spec.steps = vec![step(form("web:1", 0), form("web:2", 2), 30), step(form("web:2", 2), form("web:2", 0), 100)];
    course.spec.back = Some(form("web:1", 0));
    (course.spec.judged, course.spec.way_back) = (false, vec![Trigger::Stuck]);
    course
}

#[test]
fn the_next_batch_and_the_bake_time_wait_for_the_instances() {
    let (first, last) = (workload(Some(0)), workload(Some(1)));
    let rolled = |course, seconds, rolled: Rolled| next(&Facts { rolled, says: Says::Nothing(String::new()), ..facts(course, seconds) });
    // However long it takes, nothing goes on while instances are replaced.
    assert_eq!(rolled(&first, 5000, Rolled::Moving("1 of 3".to_owned())), Next::Rolls("1 of 3".to_owned()));
    assert_eq!(rolled(&last, 5000, Rolled::Moving("2 of 3".to_owned())), Next::Rolls("2 of 3".to_owned()));
    let step_at = |seconds| Next::StepAt { percent: percent(100), judged: false, at: at(seconds) };
    assert_eq!(rolled(&first, 5000, Rolled::Done(at(4990))), step_at(5050));
    assert_eq!(rolled(&first, 5050, Rolled::Done(at(4990))), Next::Step { step: 1, percent: percent(100) });
    assert_eq!(rolled(&last, 5050, Rolled::Done(at(4990))), Next::Bakes { until: at(5090) });
    assert_eq!(rolled(&last, 5090, Rolled::Done(at(4990))), Next::End);
    // What no rule sends back waits for a person.
    assert_eq!(rolled(&last, 10, Rolled::Stuck("no room".to_owned())), Next::Person("no room".to_owned()));
    let stuck = Facts { rolled: Rolled::Stuck("no room".to_owned()), harm: Some(harm(Trigger::Stuck, 0, 20)), ..facts(&last, 30) };
    assert!(matches!(next(&stuck), Next::Back { trigger: Trigger::Stuck, .. }));
}

/// P8: the automatic way back sets what was agreed to, of the workload that was agreed to, and is nothing without it.
#[test]
fn p8_the_way_back_of_a_workload_sets_what_was_agreed_to() {
    let here = workload(Some(0));
    let refused = |change: &dyn Fn(&mut WorkloadChange)| {
        let mut plan = part(&here, Part::WayBack);
        let StepEffect::Workload { backend, change: step } = &here.spec.steps[0].effects[0] else { panic!("a workload") };
        let mut to = WorkloadChange { from: step.wish.clone(), wish: here.spec.back.clone().unwrap(), ..(**step).clone() };
        change(&mut to);
        plan.order.effects = vec![StepEffect::Workload { backend: backend.clone(), change: Box::new(to) }];
        !against(&plan, Some(&under_way(here.clone()))).is_empty()
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&|to| to.wish.partition = Some(2)), "not half of it");
    assert!(refused(&|to| drop(to.wish.images.insert("main".to_owned(), "web:0".to_owned()))), "not another image");
    assert!(refused(&|to| to.workload.name = "db".to_owned()), "not of another workload");
    assert!(!against(&part(&here, Part::WayBack), Some(&under_way(here.clone()))).is_empty(), "not without an effect");
}

/// A rollout between two slots whose first step brings the version on trial up.
fn brought_up(step: Option<u32>) -> Course {
    let mut course = course(step);
    let up = workload(None).spec.steps[0].effects.clone();
    course.spec.steps.insert(0, SpecStep { effects: up, pace_s: None, paused: false, percent: Percent::NONE });
    course.spec.ends = vec![workload(None).spec.steps[1].effects[0].clone()];
    course
}

#[test]
fn a_version_that_comes_up_is_given_traffic_once_it_is_ready_and_is_not_judged_before() {
    let rolled = |course: &Course, seconds, rolled: Rolled| {
        next(&Facts {
            rolled,
            says: Says::Nothing("nobody gets it".to_owned()),
            unseen: Some("no data".to_owned()),
            ..facts(course, seconds)
        })
    };
    assert_eq!(rolled(&brought_up(None), 0, Rolled::No), Next::Step { step: 0, percent: percent(0) });
    let here = brought_up(Some(0));
    assert_eq!(rolled(&here, 500, Rolled::Moving("2 ready".to_owned())), Next::Rolls("2 ready".to_owned()));
    assert_eq!(rolled(&here, 500, Rolled::Stuck("no room".to_owned())), Next::Person("no room".to_owned()));
    assert_eq!(rolled(&here, 1, Rolled::Done(at(1))), Next::Step { step: 1, percent: percent(5) });
    // Afterwards it goes on as ever, and not while its instances are not all there.
    assert!(matches!(rolled(&brought_up(Some(1)), 500, Rolled::Done(at(1))), Next::Holds(_)));
    assert_eq!(rolled(&brought_up(Some(1)), 500, Rolled::Moving("1 ready".to_owned())), Next::Rolls("1 ready".to_owned()));
}

/// P8: its end brings down what was agreed to, or nothing; its way back touches no workload.
#[test]
fn p8_the_end_brings_down_what_was_agreed_to_or_nothing_and_a_way_back_no_workload() {
    let here = brought_up(Some(4));
    let refused = |of: Part, effects: Vec<StepEffect>| {
        let mut plan = part(&here, of);
        plan.order.effects = effects;
        !against(&plan, Some(&under_way(here.clone()))).is_empty()
    };
    assert!(!refused(Part::End, Vec::new()) && !refused(Part::End, here.spec.ends.clone()));
    let mut other = here.spec.ends.clone();
    let StepEffect::Workload { change, .. } = &mut other[0] else { panic!("a workload") };
    change.workload.name = "db".to_owned();
    assert!(refused(Part::End, other) && refused(Part::End, here.spec.steps[0].effects.clone()));
    assert!(!refused(Part::WayBack, Vec::new()) && refused(Part::WayBack, here.spec.ends.clone()));
}
