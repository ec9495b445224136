//! The clerk: what a notice means for the change at a desk that goes with its plan.

use std::sync::Arc;

use crate::model::deed::EntryKind;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::name::{BackendName, PlanId};
use crate::model::outbox::{DeskChange, Notice, NoticeKind, Opens};
use crate::model::plan::Plan;
use crate::model::text::Text;
use crate::ports::desk::{By, Change, Desk, Draft, Ending, Stage};
use crate::ports::ledger::LedgerError;
use crate::ports::notify::NotifyError;
use crate::ports::outbox::Outbox;

/// What is to be done at a desk about a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duty {
    /// Nothing.
    Nothing,
    /// There must be a change.
    Open,
    /// Words beside the change, where there is one.
    Note,
    /// There must be a change, and it is being carried out.
    Begin,
    /// The change, where there is one, is over.
    End(Ending),
    /// The change, where there is one, will not be.
    Cancel,
}

fn duty(notice: &Notice, opens: Opens) -> Duty {
    // What calls a person is no news of a change: its deed's own entry is.
    if matches!(notice.verb.as_deref(), Some("hold" | "resume" | "note") | None) || notice.kind == NoticeKind::WayBackFailed {
        return Duty::Nothing;
    }
    let NoticeKind::Entry(kind) = notice.kind else {
        let early = match opens {
            Opens::Planned => true,
            Opens::Waiting => notice.kind == NoticeKind::Waiting,
            Opens::Begun => false,
        };
        return if early { Duty::Open } else { Duty::Nothing };
    };
    let whole = notice.body.get("step").is_none_or(serde_json::Value::is_null);
    match kind {
        EntryKind::Intent => Duty::Begin,
        EntryKind::Withdrawal if notice.said("person") != notice.requester.as_deref() => Duty::Note,
        EntryKind::Rejection | EntryKind::Withdrawal => Duty::Cancel,
        // Without a watch this is the end.
        EntryKind::Effective if whole && notice.said("held_due").is_none() => Duty::End(Ending::Successful),
        EntryKind::Held => Duty::End(Ending::Successful),
        EntryKind::Superseded if notice.turned_back => Duty::End(Ending::Unsuccessful),
        EntryKind::Superseded | EntryKind::Unwatched => Duty::End(Ending::WithIssues),
        // Not the end: what was moved is taken back yet.
        EntryKind::Failed | EntryKind::NotBegun if notice.body.get("goes_on").is_some() => Duty::Note,
        EntryKind::Slipped | EntryKind::Failed | EntryKind::NotBegun => Duty::End(Ending::Unsuccessful),
        EntryKind::Approval | EntryKind::Denied | EntryKind::Unknown | EntryKind::Effective | EntryKind::BreakGlass => Duty::Note,
        EntryKind::Signers
        | EntryKind::Sending
        | EntryKind::Accepted
        | EntryKind::Hold
        | EntryKind::Resume
        | EntryKind::Note
        | EntryKind::Policy
        | EntryKind::Imported => Duty::Nothing,
    }
}

/// Does at a desk what a notice means for it.
///
/// # Errors
/// As the desk's port; [`NotifyError::Later`] when the store cannot be read or written.
pub(super) async fn tell(
    outbox: &Arc<dyn Outbox>,
    (name, desk, opens): (&BackendName, &dyn Desk, Opens),
    notice: &Notice,
) -> Result<(), NotifyError> {
    let duty = duty(notice, opens);
    let (Some(plan), false) = (notice.deed, duty == Duty::Nothing) else { return Ok(()) };
    let store = |error: LedgerError| {
        NotifyError::Later(PortError::new(PortErrorKind::Unreachable, name, "remember the change", &error.to_string()))
    };
    let known = outbox.desk_change(plan, name).await.map_err(store)?;
    let mut kept = match known {
        Some(kept) => kept,
        None if matches!(duty, Duty::Open | Duty::Begin) => {
            let Some(whole) = &notice.plan else {
                let why = "the plan has ended and is no longer stored";
                return Err(NotifyError::Refused(PortError::new(PortErrorKind::NotFound, name, "open a change", why)));
            };
            let (change, ours) = find_or_open(name, desk, whole).await?;
            let kept = kept(plan, name, &change, ours);
            outbox.remember_change_at_desk(&kept).await.map_err(store)?;
            kept
        }
        // Break glass above its intent: the next notice opens the change.
        None => return Ok(()),
    };
    let words = words(notice);
    let change = match duty {
        Duty::Nothing | Duty::Open => None,
        // A change that is somebody else's is told what happens and led nowhere.
        Duty::Begin | Duty::End(_) | Duty::Cancel if !kept.ours => {
            desk.note(&kept.id, &words).await?;
            None
        }
        Duty::Note => {
            desk.note(&kept.id, &words).await?;
            None
        }
        Duty::Begin => Some(desk.advance(&kept.id, Stage::Implement, Some((Ending::WithIssues, &words))).await?),
        Duty::End(ending) => Some(desk.advance(&kept.id, Stage::Closed, Some((ending, &words))).await?),
        Duty::Cancel => Some(desk.advance(&kept.id, Stage::Canceled, Some((Ending::Unsuccessful, &words))).await?),
    };
    if let Some(change) = change
        && kept.state.as_str() != change.stage.word()
    {
        kept.state = Text::clean(change.stage.word());
        outbox.remember_change_at_desk(&kept).await.map_err(store)?;
    }
    Ok(())
}

/// The change that the Order names, or the one that was made for the plan; it is made only when it is surely not there.
async fn find_or_open(name: &BackendName, desk: &dyn Desk, plan: &Plan) -> Result<(Change, bool), NotifyError> {
    if let Some(number) = plan.order.ticket.as_ref().map(ToString::to_string) {
        let found = desk.find(By::Number(&number)).await?;
        return found.map(|change| (change, false)).ok_or_else(|| {
            let why = format!("no change has the number {number}, which the plan names");
            NotifyError::Refused(PortError::new(PortErrorKind::NotFound, name, "find the change", &why))
        });
    }
    if let Some(found) = desk.find(By::Plan(plan.id)).await? {
        return Ok((found, true));
    }
    desk.open(&draft(plan)).await.map(|change| (change, true))
}

fn draft(plan: &Plan) -> Draft {
    let target = plan.target();
    let steps: Vec<String> = plan.commands.iter().map(ToString::to_string).collect();
    let share = plan.order.percent.map(|percent| format!(" to {percent} %")).unwrap_or_default();
    Draft {
        plan: plan.id,
        kind: plan.order.change_type,
        short: format!("{} {target}{share} (gonogo {})", plan.order.verb.word(), plan.id.short()),
        description: format!("asked for by {}\nnow: {}\nafter: {}\nplan: {}", plan.order.requester, plan.now, plan.after, plan.id),
        justification: plan.intent.reason.as_str().to_owned(),
        implementation: steps.join("\n"),
        backout: plan.undo.as_ref().map(|undo| format!("gonogo {undo}")).unwrap_or_default(),
        begins: plan.made,
        ends: plan.expires,
        service: target.service.to_string(),
        environment: target.environment.to_string(),
    }
}

fn kept(plan: PlanId, desk: &BackendName, change: &Change, ours: bool) -> DeskChange {
    let state = Text::clean(change.stage.word());
    DeskChange { plan, desk: desk.clone(), number: change.number.clone(), id: change.id.clone(), state, ours }
}

/// What is written beside a change: what happened, and the id by which it is known again when it is written twice.
fn words(notice: &Notice) -> String {
    let by = notice.said("person").or(notice.requester.as_deref()).unwrap_or("nobody known");
    let behind = if notice.words.is_empty() { String::new() } else { format!(": {}", notice.words) };
    format!("{} by {by}{behind} [{}]", notice.kind.word(), notice.id)
}
