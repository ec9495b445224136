//! The process dies between any two tasks of a deed; the next one on the same store settles it: nothing lost, nothing doubled, nothing said that was not.

use std::collections::BTreeMap;
use std::time::Duration;

use gonogo::model::deed::{Deed, DeedState, EffectKey, EntryKind};
use gonogo::model::intent::{Arguments, Verb};
use gonogo::model::name::PlanId;
use gonogo::model::pipeline::RunState;
use gonogo::model::plan::{Plan, Precondition, StepEffect};
use gonogo::model::rollout::{Proven, StateChange};
use gonogo::model::share::Percent;
use gonogo::model::silence::{SilenceChange, SilenceWish, is_it};
use gonogo::model::slot::Slot;
use gonogo::model::text::Text;
use gonogo::model::traffic::{ServerState, Weights};
use gonogo::ports::ledger::Ledger as _;

use gonogo::adapters::simulated::Injection;
use rand::{Rng as _, SeedableRng as _};

use super::{Room, Stage, prod};

/// How many random kills there are when nobody says otherwise: what fits into a minute of a debug build.
const USUAL: u64 = 300;
/// The variable that asks for more, as TRUST.md wants 10,000.
const MORE: &str = "GONOGO_KILLS";

/// An alert that fires from the beginning.
const ALERT: &str = "[[alert]]\nname = \"ShopErrors\"\nenvironment = \"prod\"\nmeasure = \"errors\"\nabove = 0.01\nover = \"20s\"\nfor = \"1s\"\n\
    severity = \"page\"\nsummary = \"it fails\"\n\
    [[event]]\nkind = \"errors\"\nat = \"-30s\"\ntarget = \"shop@prod\"\nratio = 0.2\n";

/// A deed with the world that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    ShiftUp,
    BreakGlass,
    ShiftDown,
    Promote,
    PromoteEnd,
    Abort,
    RollbackStopsDeploy,
    RollbackThere,
    RollbackDeploys,
    Hold,
    Resume,
    Note,
    Start,
    Retry,
    Cancel,
    Approve,
    Reject,
    Drain,
    Silence,
    Unsilence,
}

impl Story {
    const ALL: [Self; 20] = [
        Self::ShiftUp,
        Self::BreakGlass,
        Self::ShiftDown,
        Self::Promote,
        Self::PromoteEnd,
        Self::Abort,
        Self::RollbackStopsDeploy,
        Self::RollbackThere,
        Self::RollbackDeploys,
        Self::Hold,
        Self::Resume,
        Self::Note,
        Self::Start,
        Self::Retry,
        Self::Cancel,
        Self::Approve,
        Self::Reject,
        Self::Drain,
        Self::Silence,
        Self::Unsilence,
    ];

    /// What happens by itself beside it.
    fn more(self) -> &'static str {
        match self {
            Self::RollbackStopsDeploy => {
                "[[event]]\nkind = \"deploy\"\nat = \"6s\"\nby = \"bo\"\ntarget = \"shop@prod\"\nslot = \"second\"\nversion = \"2.0.1\"\n"
            }
            Self::Cancel => "[[event]]\nkind = \"push\"\nat = \"4s\"\nby = \"bo\"\nservice = \"shop\"\nmessage = \"Tidy\"\n",
            Self::Approve | Self::Reject => {
                "[[event]]\nkind = \"push\"\nat = \"-30s\"\nby = \"bo\"\nservice = \"shop\"\nmessage = \"Tidy\"\ngate = \"prod\"\n"
            }
            Self::Silence | Self::Unsilence => ALERT,
            _ => "",
        }
    }

    /// The world before the process starts.
    fn prepare(self, stage: &Stage) {
        match self {
            Self::ShiftDown | Self::Promote | Self::Abort | Self::RollbackStopsDeploy | Self::Drain => {
                stage.by_hand(&[("a1", 80), ("b1", 20)]);
            }
            Self::PromoteEnd | Self::RollbackThere | Self::RollbackDeploys => stage.by_hand(&[("a1", 0), ("b1", 100)]),
            _ => {}
        }
    }

    /// The store before the deed.
    async fn remember(self, room: &Room) {
        let proven = |version: &str, slot| StateChange::Prove {
            target: prod(),
            proven: Proven { version: Text::clean(version), digest: None, slot, at: room.now().wall },
        };
        let stable = StateChange::End { target: prod(), stable: Slot::Second, at: None };
        match self {
            Self::RollbackThere => room.store.remember(&[stable, proven("1.0.0", Slot::First)]).await.unwrap(),
            Self::RollbackDeploys => room.store.remember(&[stable, proven("0.9.0", Slot::First)]).await.unwrap(),
            _ => {}
        }
    }

    fn plan(self, room: &mut Room) -> Plan {
        match self {
            Self::ShiftUp => room.plan_shift(20),
            Self::BreakGlass => room.plan_broken(20),
            Self::ShiftDown => room.plan_shift(0),
            Self::Promote | Self::PromoteEnd => room.plan(Verb::Promote),
            Self::Abort => room.plan(Verb::Abort),
            Self::RollbackStopsDeploy | Self::RollbackThere | Self::RollbackDeploys => room.plan(Verb::Rollback),
            Self::Hold => room.plan(Verb::Hold),
            Self::Resume => room.plan(Verb::Resume),
            Self::Note => room.plan(Verb::Note),
            Self::Start => room.plan(Verb::Start),
            Self::Retry => room.plan(Verb::Retry),
            Self::Cancel => room.plan(Verb::Cancel),
            Self::Approve => room.plan(Verb::Approve),
            Self::Reject => room.plan(Verb::Reject),
            Self::Drain => room.plan_with(prod(), Verb::Drain, of_b1()),
            Self::Silence => room.plan_with(prod(), Verb::Silence, of_alert(Some(Duration::from_hours(2)))),
            Self::Unsilence => room.plan_with(prod(), Verb::Unsilence, of_alert(None)),
        }
    }

    /// Steps that the plan must have, so that a story does not shrink unseen.
    fn steps(self) -> usize {
        match self {
            Self::PromoteEnd | Self::Hold | Self::Resume | Self::Note => 0,
            Self::RollbackStopsDeploy | Self::RollbackDeploys => 2,
            _ => 1,
        }
    }
}

/// The arguments of a deed on server `b1`.
fn of_b1() -> Arguments {
    Arguments { server: Some(Box::new("b1".parse().unwrap())), ..Arguments::default() }
}

/// The arguments of a deed on the alert that fires.
fn of_alert(lasts: Option<Duration>) -> Arguments {
    let wish = SilenceWish { alert: "ShopErrors".to_owned(), lasts };
    Arguments { silence: Some(Box::new(wish)), ..Arguments::default() }
}

/// What a process left behind.
struct Left {
    plan: Plan,
    sent: BTreeMap<EffectKey, u32>,
    died: bool,
    points: u64,
}

/// Plays a story until the process dies at boundary `kill` after the confirmation, or until the deed is held.
async fn first_life(stage: &Stage, story: Story, kill: Option<i64>, injection: Option<(&str, Injection)>) -> Left {
    story.prepare(stage);
    let mut room = stage.open().await;
    story.remember(&room).await;
    room.seconds(11).await;
    if story == Story::Resume {
        room.order_until(Verb::Hold, DeedState::Effective).await;
        room.seconds(1).await;
    }
    if story == Story::Unsilence {
        let plan = Story::Silence.plan(&mut room);
        let silence = room.confirm(plan);
        room.reach(silence, DeedState::Held).await;
    }
    let plan = story.plan(&mut room);
    assert!(plan.impossible.is_empty(), "{story:?}: {:?}", plan.impossible);
    assert_eq!(plan.order.effects.len(), story.steps(), "{story:?}");
    if let Some((at, injection)) = injection {
        stage.inject(at, injection);
    }
    let before = room.tap.points();
    room.confirm(plan.clone());
    if let Some(kill) = kill {
        room.tap.kill_at(kill);
    }
    let died = room.pass_or_die(Duration::from_secs(50)).await;
    Left { plan, sent: room.tap.sent(), died, points: room.tap.points() - before }
}

/// Another process starts on the same store; by its end the deed is settled and another one can be done.
async fn second_life(stage: &Stage, story: Story, left: &Left, disturbed: bool, what: &str) {
    let mut room = stage.open().await;
    room.seconds(75).await;
    check(stage, &room, left, what).await;
    if !room.kinds(left.plan.id).await.is_empty() || left.died {
        go_on(stage, &mut room, story, disturbed, what).await;
    }
    let found = room.store.verify().await.unwrap();
    assert!(found.intact, "{what}: {found:?}");
}

/// The target is free again: a forward deed on it is done.
async fn go_on(stage: &Stage, room: &mut Room, story: Story, disturbed: bool, what: &str) {
    if room.world().target(&prod()).unwrap().state.hold.is_some() {
        assert!(matches!(story, Story::Hold | Story::Resume), "{what}");
        let resume = room.order(Verb::Resume);
        room.seconds(2).await;
        assert_eq!(room.state(resume), DeedState::Effective, "{what}: {}", room.story());
    }
    if stage.state_of("b1") == ServerState::Draining {
        let plan = room.plan_with(prod(), Verb::Ready, of_b1());
        let ready = room.confirm(plan);
        room.seconds(2).await;
        assert_eq!(room.state(ready), DeedState::Effective, "{what}: {}", room.story());
        assert_eq!(stage.state_of("b1"), ServerState::Up, "{what}");
    }
    let share = room.world().target(&prod()).unwrap().wished().expect("the router is read").nearest().get();
    if share >= 90 {
        return;
    }
    // A fault that waits for the next write may still hit this one; it hits once.
    for _ in 0..=u8::from(disturbed) {
        let args = Arguments { percent: Percent::new(share + 7), ..Arguments::default() };
        let plan = room.plan_with(prod(), Verb::Shift, args);
        let id = room.confirm(plan);
        for _ in 0..40 {
            room.seconds(1).await;
            if room.deed(id).facts.effective.is_some() {
                return;
            }
        }
    }
    panic!("{what}: the next deed is not effective: {}", room.story());
}

async fn check(stage: &Stage, room: &Room, left: &Left, what: &str) {
    let id = left.plan.id;
    let entries = room.entries().await;
    let of = |kind: EntryKind| entries.iter().filter(|entry| entry.deed == Some(id) && entry.kind == kind).count();
    let begun = of(EntryKind::Intent) == 1;
    let mut sent = left.sent.clone();
    for (key, times) in room.tap.sent() {
        *sent.entry(key).or_default() += times;
    }
    // 0 effects doubled: neither sent nor recorded nor seen twice.
    for (step, effect) in left.plan.order.effects.iter().enumerate() {
        let key = EffectKey { plan: id, step: u32::try_from(step).unwrap() };
        let times = sent.get(&key).copied().unwrap_or(0);
        assert!(times <= 1, "{what}: {key} was sent {times} times");
        let made = made(stage, id, step, effect);
        assert!(made <= 1, "{what}: {key} made {made} runs");
        assert!(usize::try_from(times).unwrap() >= made, "{what}: {key} was made and not sent");
    }
    let sendings = of(EntryKind::Sending);
    assert!(sendings <= left.plan.order.effects.len() + of(EntryKind::NotBegun), "{what}: {sendings} sendings");
    assert!(sent.keys().filter(|key| key.plan == id).count() <= sendings, "{what}: sent without a record");
    // What breaks the glass is on record with its intent, and owes one review, or neither is.
    let broke = usize::from(begun && left.plan.order.break_glass.is_some());
    let owed = room.store.reviews().await.unwrap().iter().filter(|review| review.plan == id && review.is_owed()).count();
    assert_eq!((of(EntryKind::BreakGlass), owed), (broke, broke), "{what}");
    if !begun {
        assert!(sent.keys().all(|key| key.plan != id), "{what}: sent without an intent");
        return;
    }
    // 0 deeds lost: it is settled, and says why.
    let deed = room.store.deed(&id.to_string()).await.unwrap();
    let told = format!("{what}: {:?} {:?}: {}", deed.state, deed.facts, deed.words);
    assert!(!deed.state.is_under_way(), "{told}");
    assert!(deed.state != DeedState::Effective || !left.plan.order.effects.iter().any(is_weights), "not watched to its end: {told}");
    let open = room.store.open_deeds().await.unwrap().into_iter().any(|open| open.deed.plan == id);
    assert!(!open || deed.state == DeedState::Unknown, "{told}");
    assert!(deed.facts.effective.is_some() || !deed.words.is_empty(), "{told}");
    assert!(of(EntryKind::Effective) <= left.plan.order.effects.len().max(1), "{told}");
    said_only_what_was(stage, &left.plan, &deed, &told);
}

fn is_weights(effect: &StepEffect) -> bool {
    matches!(effect, StepEffect::Weights { .. })
}

/// 0 said done that were not, and the other way: what is said not to have begun did not.
fn said_only_what_was(stage: &Stage, plan: &Plan, deed: &Deed, told: &str) {
    for (step, effect) in plan.order.effects.iter().enumerate() {
        let one = &deed.steps[step];
        let said = one.facts.effective.is_some() || deed.facts.effective.is_some();
        let not_begun = one.facts.sent.is_none() && !said;
        match effect {
            StepEffect::Weights { weights, .. } => {
                let now = stage.weights();
                let wished = weights.iter().all(|(server, weight)| now.get(server) == Some(weight));
                let untouched = before(plan).is_none_or(|before| before.iter().all(|(server, weight)| now.get(server) == Some(weight)));
                assert!(!said || wished, "said effective and is not: {now:?}; {told}");
                assert!(!not_begun || untouched, "said not begun and is: {now:?}; {told}");
            }
            StepEffect::Start { .. } | StepEffect::Retry { .. } => {
                let made = made(stage, plan.id, step, effect);
                assert!(!said || made == 1, "said effective and is not; {told}");
                assert!(!not_begun || made == 0, "said not begun and is; {told}");
                let failed = deed.state == DeedState::Failed && one.facts.accepted.is_none();
                assert!(!failed || made == 0, "said failed without having been accepted, and is; {told}");
            }
            StepEffect::Cancel { builder, run, .. } => {
                let state = stage.runs().builders[builder].runs.iter().find(|one| one.id.number == *run).unwrap().state;
                assert!(!said || state.is_over(), "said effective and is {state:?}; {told}");
                assert!(!not_begun || state != RunState::Cancelled, "said not begun and is; {told}");
            }
            StepEffect::Answer { builder, run, .. } => {
                let runs = stage.runs();
                let gates = &runs.builders[builder].runs.iter().find(|one| one.id.number == *run).unwrap().gates;
                let made = made(stage, plan.id, step, effect);
                assert!(!said || (made == 1 && gates.is_empty()), "said effective and is not: {gates:?}; {told}");
                assert!(!not_begun || made == 0, "said not begun and is; {told}");
            }
            StepEffect::Drain { server, drains, .. } => {
                let is_out = stage.state_of(server.as_str()) == ServerState::Draining;
                assert!(!said || is_out == *drains, "said effective and is not; {told}");
                assert!(!not_begun || is_out != *drains, "said not begun and is; {told}");
            }
            StepEffect::Silence { matchers, change, .. } => {
                let stand = stage.silences();
                let (is_as_wished, is_as_before) = match change {
                    SilenceChange::Until { ends, comment } => {
                        let ours = stand.iter().filter(|one| is_it(one, matchers, ends, comment)).count();
                        assert!(ours <= 1, "{ours} silences: {told}");
                        (ours == 1, ours == 0)
                    }
                    SilenceChange::Over { ids } => {
                        let stands = stand.iter().any(|one| ids.iter().any(|id| id == one.id.as_str()));
                        (!stands, stands)
                    }
                };
                assert!(!said || is_as_wished, "said effective and is not: {stand:?}; {told}");
                assert!(!not_begun || is_as_before, "said not begun and is: {stand:?}; {told}");
            }
            StepEffect::Flag { .. } | StepEffect::Repeat { .. } | StepEffect::Workload { .. } => panic!("no story has one: {told}"),
        }
    }
}

fn before(plan: &Plan) -> Option<Weights> {
    plan.preconditions.iter().find_map(|checked| match &checked.must {
        Precondition::WeightsUnchanged { weights, .. } => Some(weights.clone()),
        _ => None,
    })
}

/// How often the CI system shows what an effect makes.
fn made(stage: &Stage, plan: PlanId, step: usize, effect: &StepEffect) -> usize {
    match effect {
        StepEffect::Start { .. } => stage.with_key(plan, u32::try_from(step).unwrap()),
        StepEffect::Retry { run, .. } => stage.repetitions(*run),
        StepEffect::Answer { .. } => stage.answers(EffectKey { plan, step: u32::try_from(step).unwrap() }, effect),
        StepEffect::Weights { .. }
        | StepEffect::Drain { .. }
        | StepEffect::Silence { .. }
        | StepEffect::Flag { .. }
        | StepEffect::Repeat { .. }
        | StepEffect::Cancel { .. }
        | StepEffect::Workload { .. } => 0,
    }
}

/// Kills a story at every boundary up to its settling; tells how many there were.
async fn at_every_boundary(story: Story) -> u64 {
    let stage = Stage::small_with(story.more(), 11);
    let whole = first_life(&stage, story, None, None).await;
    second_life(&stage, story, &whole, false, &format!("{story:?} undisturbed")).await;
    for kill in 1..=whole.points {
        let stage = Stage::small_with(story.more(), 11);
        let left = first_life(&stage, story, Some(i64::try_from(kill).unwrap()), None).await;
        assert!(left.died, "{story:?} at {kill} of {}", whole.points);
        second_life(&stage, story, &left, false, &format!("{story:?} killed at boundary {kill}")).await;
    }
    whole.points
}

macro_rules! killed_everywhere {
    ($($test:ident $story:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $test() {
            let boundaries = at_every_boundary(Story::$story).await;
            assert!(boundaries >= 4, "only {boundaries} boundaries");
        }
    )*};
}

killed_everywhere! {
    p24_a_shift_up_killed_at_every_boundary_is_settled ShiftUp,
    p24_a_deed_that_breaks_the_glass_killed_at_every_boundary_is_settled BreakGlass,
    p24_a_shift_down_killed_at_every_boundary_is_settled ShiftDown,
    p24_a_promote_killed_at_every_boundary_is_settled Promote,
    p24_the_last_promote_killed_at_every_boundary_is_settled PromoteEnd,
    p24_an_abort_killed_at_every_boundary_is_settled Abort,
    p24_a_rollback_that_stops_a_deploy_killed_at_every_boundary_is_settled RollbackStopsDeploy,
    p24_a_rollback_to_what_is_there_killed_at_every_boundary_is_settled RollbackThere,
    p24_a_rollback_that_deploys_killed_at_every_boundary_is_settled RollbackDeploys,
    p24_a_hold_killed_at_every_boundary_is_settled Hold,
    p24_a_resume_killed_at_every_boundary_is_settled Resume,
    p24_a_note_killed_at_every_boundary_is_settled Note,
    p24_a_start_killed_at_every_boundary_is_settled Start,
    p24_a_retry_killed_at_every_boundary_is_settled Retry,
    p24_a_cancel_killed_at_every_boundary_is_settled Cancel,
    p24_an_approval_of_a_run_killed_at_every_boundary_is_settled Approve,
    p24_a_rejection_of_a_run_killed_at_every_boundary_is_settled Reject,
    p24_a_drain_killed_at_every_boundary_is_settled Drain,
    p24_a_silence_killed_at_every_boundary_is_settled Silence,
    p24_an_end_of_a_silence_killed_at_every_boundary_is_settled Unsilence,
}

/// Seeds, stories, faults and kill points by lot; the lot is the number, so that a failure is played again by its number.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the number of kills is asked for by a variable")]
async fn p24_kills_at_random_points_lose_nothing_and_double_nothing() {
    let many = std::env::var(MORE).ok().and_then(|many| many.parse().ok()).unwrap_or(USUAL);
    let only: Option<u64> = std::env::var("GONOGO_KILL").ok().and_then(|one| one.parse().ok());
    let mut died = 0;
    for lot in 0..many {
        if only.is_some_and(|only| only != lot) {
            continue;
        }
        let mut dice = rand_chacha::ChaCha8Rng::seed_from_u64(lot);
        let story = Story::ALL[dice.random_range(0..Story::ALL.len())];
        let stage = Stage::small_with(story.more(), dice.random_range(0..1_000_000));
        let injection = match dice.random_range(0..8) {
            0 => Some(Injection::DropAnswerOfNextWrite),
            1 => Some(Injection::LoseNextWrite),
            2 => Some(Injection::RefuseNextWrite),
            3 => Some(Injection::BreakNextWriteHalfWay),
            _ => None,
        };
        let at = if dice.random_bool(0.6) { "edge" } else { "ci" };
        let kill = dice.random_range(1..40);
        let left = first_life(&stage, story, Some(kill), injection.clone().map(|injection| (at, injection))).await;
        died += u64::from(left.died);
        let what = format!("lot {lot}: {story:?} killed at {kill}, {injection:?} at {at}");
        second_life(&stage, story, &left, injection.is_some(), &what).await;
    }
    assert!(only.is_some() || died * 3 > many, "only {died} of {many} died");
}
