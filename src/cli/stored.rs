//! Stored plans by their digits; who wants something of one that cannot be is recorded.

use super::exit::Exit;
use super::out;
use super::settle::Opened;
use crate::control::engine::reason_of;
use crate::model::approval::{Attempt, Decision};
use crate::model::plan::Plan;
use crate::model::reason::Reason;
use crate::model::text::Text;
use crate::ports::ledger::LedgerError;

/// Finds a stored plan for what is wanted of it.
///
/// # Errors
/// Exit 5 when it is spent, over, or one of several; that is recorded. Digits that name none are not.
pub async fn find(opened: &Opened, id: &str, what: &'static str) -> Result<Plan, Exit> {
    let error = match opened.ledger.plan(id).await {
        Ok(plan) => return Ok(plan),
        Err(error) => error,
    };
    out::words(&format!("gonogo: {error}"));
    // Taking back what is over already is no attempt at anything; what has begun already, one that came too late.
    let wanted = what != Decision::Withdraw.word() || error.is_too_late();
    if wanted && matches!(error, LedgerError::Spent(_) | LedgerError::Expired(_) | LedgerError::Ambiguous(_)) {
        refuse(opened, id, what, reason_of(&error)).await;
    }
    Err(Exit::of_ledger(&error))
}

/// Records that something was wanted of a stored plan that cannot be.
pub async fn refuse(opened: &Opened, id: &str, what: &'static str, reason: Reason) {
    let person = opened.handle.world().actor.to_string();
    let attempt = Attempt { what, digits: Text::clean_within(id, 80), person, reasons: vec![reason] };
    if let Err(error) = opened.ledger.refuse(&attempt).await {
        out::words(&format!("gonogo: that it was refused could not be recorded: {error}"));
    }
}
