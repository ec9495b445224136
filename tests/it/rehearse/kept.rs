//! The judgement of a rollout outlives the process that conducts it: nothing is counted twice, nothing is made up, and what is not of it is not used.

use std::time::Duration;

use gonogo::analysis::trial::MeasureStanding;
use gonogo::model::kept::KeptTrial;
use gonogo::model::name::PlanId;
use gonogo::model::spec::Ending;
use gonogo::model::timeline::HappeningKind;
use gonogo::ports::journal::Journal as _;

use super::rollouts::{BAD, share, started, words};
use super::{Room, Stage, prod};

fn busy(seed: u64) -> Stage {
    Stage::new(&super::SMALL.replace("requests = 60.0", "requests = 2400.0"), seed)
}

/// What is judged of the errors now.
fn errors(room: &Room) -> Option<MeasureStanding> {
    let trial = room.world().ahead.get(&prod())?.trial.clone()?;
    trial.measures.iter().find(|measure| measure.name.as_str() == "errors").cloned()
}

/// That the judgement began anew, and why.
fn anew(room: &Room) -> Option<String> {
    room.world().ahead.get(&prod())?.anew.as_ref().map(|anew| anew.why.to_string())
}

async fn kept(room: &Room) -> Vec<KeptTrial> {
    room.store.kept_trials().await.unwrap()
}

/// Lets the process die, nobody be there for a while, and another one begin.
async fn replaced(stage: &Stage, room: Room, gap_s: u64) -> Room {
    drop(room);
    stage.clock.advance_to(stage.clock.elapsed() + Duration::from_secs(gap_s));
    stage.open().await
}

/// When it is over, in seconds since the stage was set, by a process that dies at each of some seconds and is replaced after a gap; and
/// the story of it, for messages.
async fn over(stage: &Stage, deaths: &[(u64, u64)]) -> (u64, Option<Ending>, String) {
    let mut room = started(stage).await;
    let (mut deaths, mut story) = (deaths.iter().copied().peekable(), String::new());
    while room.world().target(&prod()).unwrap().state.last.is_none() && room.clock.elapsed().as_secs() < 4000 {
        if let Some((at, gap)) = deaths.next_if(|(at, _)| room.clock.elapsed().as_secs() >= *at) {
            story += &format!("\n{at}: dies, {gap} s nobody");
            room = replaced(stage, room, gap).await;
        }
        room.seconds(5).await;
        let stands = format!("{} % {:?} {}", share(&room), errors(&room).map(|one| (one.outcome, one.pairs, one.gaps)), words(&room));
        story += &format!("\n{}: {stands}", room.clock.elapsed().as_secs());
        assert_eq!(anew(&room), None, "{story}");
    }
    (room.clock.elapsed().as_secs(), room.world().target(&prod()).unwrap().state.last.as_ref().map(|last| last.how), story)
}

/// How soon it is promoted hangs on chance too, which falls elsewhere when polls do: that evidence decides no later than by what a gap hides
/// is shown on the same streams (`control::kept::tests`). Here: no death costs any evidence, in whatever step.
#[tokio::test]
async fn killed_again_and_again_it_loses_no_evidence_and_is_promoted() {
    let stage = busy(61);
    let mut room = started(&stage).await;
    let (mut deaths, mut after) = (0, 60);
    while room.world().target(&prod()).unwrap().state.last.is_none() && room.clock.elapsed().as_secs() < 4000 {
        let before = errors(&room).map_or(0, |one| one.pairs);
        if room.clock.elapsed().as_secs() >= after && share(&room) < 100 {
            room = replaced(&stage, room, deaths % 3 * 10).await;
            room.until("it is judged", 60, |world| world.ahead.get(&prod()).is_some_and(|ahead| ahead.trial.is_some())).await;
            let one = errors(&room).unwrap();
            assert!(one.pairs + 3 >= before && one.gaps == 0, "{before} before: {one:?}");
            (deaths, after) = (deaths + 1, after + 70);
        }
        assert_eq!(anew(&room), None, "{}", words(&room));
        room.seconds(5).await;
    }
    let how = room.world().target(&prod()).unwrap().state.last.as_ref().map(|last| last.how);
    assert!(deaths > 3 && how == Some(Ending::Promoted), "{deaths} deaths, {how:?}: {} {}", words(&room), room.story());
}

#[tokio::test]
async fn what_was_counted_before_a_death_counts_once_and_what_a_gap_hides_is_in_no_interval() {
    let at = |room: &Room| room.clock.elapsed().as_secs();
    let mut whole = started(&busy(61)).await;
    whole.until("it is judged", 60, |world| world.ahead.get(&prod()).is_some_and(|ahead| ahead.trial.is_some())).await;
    let until = at(&whole) + 40;
    whole.seconds(40).await;
    let counted = errors(&whole).unwrap_or_else(|| panic!("{} {}", words(&whole), whole.story()));
    for gap in [0, 8] {
        let stage = busy(61);
        let mut room = started(&stage).await;
        room.seconds(until - 30 - at(&room)).await;
        let before = errors(&room).unwrap_or_else(|| panic!("{} {}", words(&room), room.story()));
        let mut room = replaced(&stage, room, gap).await;
        room.seconds(until - at(&room)).await;
        let after = errors(&room).unwrap();
        assert_eq!(share(&room), 5, "it is the same step still");
        assert!(after.pairs > before.pairs && after.gaps == before.gaps, "{gap}: {before:?} {after:?}");
        let (found, wanted) = (after.canary.unwrap().total, counted.canary.unwrap().total);
        // Two polls at other times than without a death: two scrapes of sixty thousand requests a twentieth of which it takes.
        assert!((found - wanted).abs() <= 2.0 * 600.0 * 1.2, "{gap}: {found} instead of {wanted}");
    }
    let stage = busy(61);
    let mut room = started(&stage).await;
    room.seconds(until - at(&room)).await;
    let before = errors(&room).unwrap();
    let mut room = replaced(&stage, room, 300).await;
    room.until("it is judged again", 60, |world| world.ahead.get(&prod()).is_some_and(|ahead| ahead.trial.is_some())).await;
    room.seconds(6).await;
    let after = errors(&room).unwrap();
    assert_eq!((after.gaps, anew(&room)), (before.gaps + 1, None), "{before:?} {after:?}");
    let more = after.canary.unwrap().total - before.canary.unwrap().total;
    assert!(more < 4.0 * 600.0 * 1.2, "of five minutes in which nobody looked nothing is counted: {more}");
}

/// What was seen of a bad version before a death is not forgotten: it goes back as soon.
#[tokio::test]
async fn a_bad_version_goes_back_no_later_than_by_the_gap() {
    let bad = |seed| Stage::new(&format!("{}{BAD}", super::SMALL.replace("requests = 60.0", "requests = 2400.0")), seed);
    let (whole, how, _) = Box::pin(over(&bad(62), &[])).await;
    assert_eq!(how, Some(Ending::WentBack));
    let (cut, how, story) = Box::pin(over(&bad(62), &[(whole - 25, 5)])).await;
    assert_eq!(how, Some(Ending::WentBack));
    assert!(cut <= whole + 5 + 15, "{cut} s against {whole} s: {story}");
}

#[tokio::test]
async fn p13_what_is_kept_of_another_rollout_is_not_used_and_what_cannot_be_is_said() {
    // What is done to what was kept, and what is said then.
    type Done = fn(&mut KeptTrial);
    let cases: [(&str, Done, Option<&str>); 6] = [
        ("nothing", |_| {}, None),
        ("another rollout", |kept| kept.rollout = PlanId([9; 32]), None),
        ("other rules", |kept| kept.rules = "00".to_owned(), Some("its rules changed")),
        ("another judge", |kept| kept.judge = "0".to_owned(), Some("another gonogo judged it")),
        ("broken", |kept| kept.trial.truncate(99), Some("what was kept of it cannot be read")),
        ("the future", |kept| kept.at += chrono::TimeDelta::hours(1), Some("what was kept of it is of a time to come")),
    ];
    for (name, change, said) in cases {
        let stage = busy(61);
        let mut room = started(&stage).await;
        room.until("it is judged", 60, |world| world.ahead.get(&prod()).is_some_and(|ahead| ahead.trial.is_some())).await;
        room.seconds(40).await;
        let before = errors(&room).unwrap().pairs;
        let mut one = kept(&room).await.remove(0);
        assert_eq!(one.target, prod());
        change(&mut one);
        room.store.keep_trial(&one, true).await.unwrap();
        let mut room = replaced(&stage, room, 0).await;
        room.until("it is judged", 60, |world| world.ahead.get(&prod()).is_some_and(|ahead| ahead.trial.is_some())).await;
        let pairs = errors(&room).unwrap().pairs;
        assert_eq!((pairs + 3 >= before, anew(&room).as_deref()), (name == "nothing", said), "{name}: {pairs} of {before}");
        let lines = room.lines(HappeningKind::Change);
        assert_eq!(lines.iter().any(|line| line.starts_with("judgement begun anew after a restart")), said.is_some(), "{name}: {lines:?}");
        // What it keeps from now on stands over what could not be used, and the next one goes on with that.
        room.seconds(30).await;
        let pairs = errors(&room).unwrap().pairs;
        let mut room = replaced(&stage, room, 0).await;
        room.until("it is judged", 60, |world| world.ahead.get(&prod()).is_some_and(|ahead| ahead.trial.is_some())).await;
        assert_eq!((errors(&room).unwrap().pairs + 3 >= pairs, anew(&room)), (true, None), "{name}");
    }
}

/// Two rooms on one store: one that conducts nothing goes on with what is kept, and keeps nothing.
#[tokio::test]
async fn only_who_conducts_keeps_a_judgement() {
    let stage = busy(61);
    let mut room = started(&stage).await;
    room.until("it is judged", 60, |world| world.ahead.get(&prod()).is_some_and(|ahead| ahead.trial.is_some())).await;
    room.seconds(40).await;
    let before = kept(&room).await;
    let pairs = errors(&room).unwrap().pairs;
    drop(room);
    let mut other = stage.opened("bo", false).await;
    other.until("it is judged", 60, |world| world.ahead.get(&prod()).is_some_and(|ahead| ahead.trial.is_some())).await;
    assert!(errors(&other).unwrap().pairs + 3 >= pairs, "it goes on with it");
    other.seconds(40).await;
    assert_eq!(kept(&other).await, before, "and writes nothing");
}
