//! Rollouts that go on by themselves: how they start, which of their parts were begun, and what stops them.

use chrono::{DateTime, Utc};
use sqlx::{Row as _, SqliteConnection};

use super::deeds::DeedRow;
use super::{outbox, state};
use crate::model::both::LeftOut;
use crate::model::deed::EntryKind;
use crate::model::intent::{Direction, Verb};
use crate::model::name::{PlanId, Target};
use crate::model::outbox::NoticeKind;
use crate::model::part::Part;
use crate::model::plan::{Plan, StepEffect};
use crate::model::reason::Reason;
use crate::model::rollout::{Rollout, StateChange};
use crate::model::share::Percent;
use crate::model::spec::{Course, Stopped};
use crate::model::text::Text;
use crate::ports::ledger::{LedgerError, Outcome};

/// Notes that a part of a rollout begins as this deed. A part that another deed began already is refused, whoever asks.
pub async fn take(conn: &mut SqliteConnection, plan: &Plan) -> Result<(), LedgerError> {
    let Some(of) = plan.order.of else { return Ok(()) };
    let taken = sqlx::query("INSERT OR IGNORE INTO part (rollout, part, deed) VALUES (?, ?, ?)")
        .bind(of.rollout.to_string())
        .bind(of.part.to_string())
        .bind(plan.id.to_string())
        .execute(&mut *conn)
        .await?;
    if taken.rows_affected() != 1 {
        return Err(LedgerError::Spent(Text::clean(&format!("begun: the {} of rollout {} as another deed", of.part, of.rollout.short()))));
    }
    let change = StateChange::Take { target: plan.target().clone(), rollout: of.rollout, part: of.part, deed: plan.id };
    state::change(conn, &[change]).await
}

/// The rollout that a plan starts, from where its target stands now.
pub fn started(plan: &Plan, at: DateTime<Utc>) -> Option<StateChange> {
    let spec = plan.order.rollout.clone()?;
    let share = plan.order.percent.unwrap_or(Percent::NONE);
    let course = Course {
        step: spec.at_share(share),
        spec,
        by: plan.intent.requester.clone(),
        ticket: plan.order.ticket.clone(),
        since: at,
        rolled: None,
        way_back: None,
        stopped: None,
    };
    let rollout = Rollout {
        begun: at,
        by: plan.order.requester.clone(),
        plan: Some(plan.id),
        from: plan.released.from.version.clone(),
        to: plan.released.to.version.clone(),
        course: Some(Box::new(course)),
    };
    Some(StateChange::Start { target: plan.target().clone(), rollout: Box::new(rollout) })
}

/// The share that an effective deed brought. What a person sets beside the steps, or by a shift, is where the rollout waits for persons.
pub fn reached(plan: &Plan, at: DateTime<Utc>) -> Option<StateChange> {
    let moves = plan.order.effects.iter().any(|effect| matches!(effect, StepEffect::Weights { .. } | StepEffect::Workload { .. }));
    let percent = plan.order.percent.filter(|_| moves && plan.order.ends.is_none())?;
    let stays = plan.order.of.is_none() && plan.order.verb != Verb::Promote;
    let words = || Text::clean(&format!("{} set it to {percent} %", plan.order.requester));
    let stopped = stays.then(|| Stopped { at, deed: plan.id, words: words(), stranded: false });
    let left: Vec<String> = plan.order.left.iter().map(LeftOut::told).collect();
    let words = || {
        let text = format!(
            "taken back to {percent} % where routers answer; not reached: {}; gonogo abort {} sends the rest",
            left.join(", "),
            plan.target()
        );
        Text::clean(&text)
    };
    // Whatever is said to it, it does not go forward by itself from there.
    let stopped = if left.is_empty() { stopped } else { Some(Stopped { at, deed: plan.id, words: words(), stranded: true }) };
    // A person's shift to nothing leaves nobody at the version on trial; a step of the rollout leaves testers, or copies.
    let unshared = percent == Percent::NONE && (plan.order.of.is_some() || plan.order.verb == Verb::Promote);
    let scaled = plan.order.effects.iter().any(|effect| effect.workload().is_some());
    Some(StateChange::Reach { target: plan.target().clone(), percent, unshared, scaled, stopped, at })
}

/// What becomes of a rollout of which a part did not come about: it may begin anew where surely nothing of it happened, else it stops.
pub async fn fell(
    conn: &mut SqliteConnection,
    row: &DeedRow,
    outcome: &Outcome,
    at: DateTime<Utc>,
) -> Result<Option<StateChange>, LedgerError> {
    let Some(of) = row.plan.order.of else { return Ok(None) };
    let target = row.deed.target.clone();
    let untouched = row.deed.steps.iter().all(|step| step.facts.accepted.is_none());
    if outcome.kind == EntryKind::NotBegun && untouched {
        sqlx::query("DELETE FROM part WHERE deed = ?").bind(row.plan.id.to_string()).execute(conn).await?;
        return Ok(Some(StateChange::Release { target, rollout: of.rollout, deed: row.plan.id }));
    }
    if !matches!(outcome.kind, EntryKind::NotBegun | EntryKind::Failed | EntryKind::Unknown | EntryKind::Slipped) {
        return Ok(None);
    }
    let goes_on = match (outcome.step.is_some() && !outcome.releases, row.plan.direction) {
        (false, _) => "",
        (true, Direction::Back) => "; it goes on at the next router",
        (true, Direction::Forward | Direction::Release | Direction::Still) => "; what it moved before is being taken back",
    };
    let words = Text::clean(&format!("its {} {}: {}{goes_on}", of.part, outcome.kind.word(), outcome.words));
    let stopped = Stopped { at, deed: row.plan.id, words, stranded: of.part == Part::WayBack };
    Ok(Some(StateChange::Stop { target, rollout: of.rollout, stopped }))
}

/// Calls a person when the automatic way back of a rollout did not come about, in the transaction in which that is recorded: whoever
/// records it, and however often its process dies, that it could not start is told once, and that it did not come about once.
pub async fn page(conn: &mut SqliteConnection, row: &DeedRow, outcome: &Outcome, at: DateTime<Utc>) -> Result<(), LedgerError> {
    let Some(of) = row.plan.order.of.filter(|of| of.part == Part::WayBack) else { return Ok(()) };
    if !outcome.no_help && !matches!(outcome.kind, EntryKind::NotBegun | EntryKind::Failed | EntryKind::Unknown | EntryKind::Slipped) {
        return Ok(());
    }
    let word = if outcome.no_help { "no-help" } else { outcome.kind.word() };
    let untouched = outcome.kind == EntryKind::NotBegun && row.deed.steps.iter().all(|step| step.facts.accepted.is_none());
    if !is_first(conn, of.rollout, if untouched { "way-back-not-begun" } else { "way-back-failed" }).await? {
        return Ok(());
    }
    let target = &row.deed.target;
    let next = if untouched {
        "nothing moved, and it is tried again".to_owned()
    } else if outcome.no_help {
        format!("nothing more is tried by itself; look at {target}: what harms it is not the version that was on trial alone")
    } else {
        format!("nothing more is tried by itself; look at {target}, then `gonogo abort {target}`")
    };
    let came = if outcome.no_help { "came about" } else { word };
    let words = format!("the way back of rollout {} {came}: {}; {next}", of.rollout.short(), outcome.words);
    outbox::tell(conn, NoticeKind::WayBackFailed, &row.plan, at, &words, word).await
}

/// Calls a person when the automatic way back of a rollout may not begin, in the transaction in which that is recorded, once in the life
/// of the rollout; whether this is to be recorded: whatever is no way back is, always.
pub async fn call_denied(conn: &mut SqliteConnection, plan: &Plan, reasons: &[Reason], at: DateTime<Utc>) -> Result<bool, LedgerError> {
    let Some(of) = plan.order.of.filter(|of| of.part == Part::WayBack) else { return Ok(true) };
    if !is_first(conn, of.rollout, "way-back-denied").await? {
        return Ok(false);
    }
    let why: Vec<String> = reasons.iter().map(|reason| format!("{} ({})", reason.text, reason.fix)).collect();
    let (target, asked) = (plan.target(), &plan.intent.reason);
    let words = format!(
        "the way back of rollout {} may not begin: {}; it was asked for by {asked}; it begins by itself once it may, or `gonogo abort {target}`",
        of.rollout.short(),
        why.join("; ")
    );
    outbox::tell(conn, NoticeKind::WayBackFailed, plan, at, &words, "denied").await?;
    Ok(true)
}

/// Whether something is told of a rollout for the first time; from now on it was.
async fn is_first(conn: &mut SqliteConnection, rollout: PlanId, what: &str) -> Result<bool, LedgerError> {
    let told = sqlx::query("INSERT OR IGNORE INTO told_by_time (plan, what) VALUES (?, ?)")
        .bind(rollout.to_string())
        .bind(what)
        .execute(&mut *conn)
        .await?;
    Ok(told.rows_affected() == 1)
}

/// A rollout may try again what did not come about, and the steps that lie before it again since a person took it back, by a person's word.
pub async fn again(conn: &mut SqliteConnection, target: &Target) -> Result<(), LedgerError> {
    let state = state::load(conn, target).await?;
    let Some(rollout) = state.rollout else { return Ok(()) };
    let (Some(plan), Some(course)) = (rollout.plan, rollout.course) else { return Ok(()) };
    if course.stopped.as_ref().is_some_and(|stopped| stopped.stranded) {
        return Ok(());
    }
    if let Some(stopped) = &course.stopped {
        sqlx::query("DELETE FROM part WHERE deed = ?").bind(stopped.deed.to_string()).execute(&mut *conn).await?;
    }
    let open = DeedRow::load_open_on(conn, target).await?;
    let under_way = |deed: &str| open.iter().any(|row| row.deed.state.is_under_way() && row.plan.id.to_string() == deed);
    let mut next = course.spec.after(course.step);
    while let Some((step, _)) = next {
        let part = Part::Step { step }.to_string();
        let row = sqlx::query("SELECT deed FROM part WHERE rollout = ? AND part = ?").bind(plan.to_string()).bind(&part);
        let deed = row.fetch_optional(&mut *conn).await?.map(|row| row.try_get::<String, _>(0)).transpose()?;
        if deed.is_some_and(|deed| !under_way(&deed)) {
            let gone = sqlx::query("DELETE FROM part WHERE rollout = ? AND part = ?").bind(plan.to_string()).bind(&part);
            gone.execute(&mut *conn).await?;
        }
        next = course.spec.after(Some(step));
    }
    Ok(())
}
