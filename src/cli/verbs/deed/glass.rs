//! What is said of a deed that broke the glass.

use crate::cli::{out, settle};
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::review::Cause;

/// What breaking the glass leaves behind: what it waived, what is owed, and trouble with the second place.
pub(super) async fn tell(opened: &settle::Opened, plan: &Plan) {
    let alone = "  recorded in the second place alone, and without a lease; it is taken over when the store can be written again";
    if opened.handle.world().ledger.trouble.is_some() {
        out::words(alone);
    }
    let reviews = opened.ledger.reviews().await.unwrap_or_default();
    let Some(review) = reviews.into_iter().find(|review| review.plan == plan.id) else { return };
    if let Cause::BreakGlass { until, waived } = &review.cause {
        out::words(&format!("  BREAK GLASS by {} until {}", review.by, until.format("%Y-%m-%d %H:%M:%SZ")));
        tell_waived(waived, out::words);
    }
    if let Some(due) = review.due {
        let due = due.format("%Y-%m-%d %H:%M:%SZ");
        out::words(&format!("  a review is owed by {due}; another person: gonogo review {} --reason \"..\"", plan.id.short()));
    }
    if let Some(trouble) = &review.trouble {
        out::words(&format!("  the second place of the record was not written: {trouble}"));
    }
}

/// The reasons that were waived.
pub(super) fn tell_waived(waived: &[Reason], say: impl Fn(&str)) {
    if waived.is_empty() {
        say("  waived: nothing, nothing stood in the way");
    }
    for reason in waived {
        say(&format!("  waived: {}: {}", reason.rule, reason.text));
    }
}
