//! What the ledger refused, as reasons: their rules decide exit codes.

use crate::model::reason::Reason;
use crate::ports::ledger::LedgerError;

/// Every reason of a refusal, those of policy one by one.
pub fn reasons_of(error: &LedgerError) -> Vec<Reason> {
    let of_policy = if let LedgerError::Refused(reasons) = error { reasons.clone() } else { Vec::new() };
    if of_policy.is_empty() { vec![reason_of(error)] } else { of_policy }
}

/// The ledger's refusal as a reason: its rule decides the exit code.
pub fn reason_of(error: &LedgerError) -> Reason {
    let (rule, fix) = match error {
        LedgerError::Unwritable(_) => (
            "record",
            "make the store writable; deeds are refused until it is, save break glass with a second place ([ledger] break_glass)",
        ),
        LedgerError::Broken(_) => ("ledger", "gonogo ledger verify says what is wrong"),
        LedgerError::Ambiguous(_) => ("ambiguous", "give more of the plan's digits"),
        LedgerError::NoPlan(_) | LedgerError::Expired(_) => ("expired", "plan again"),
        LedgerError::Spent(_) => ("spent", "plan again; an approval is spent with its plan"),
        LedgerError::NoGrant(_) => ("no-grant", "gonogo grants"),
        LedgerError::Busy { .. } | LedgerError::LostLease(_) => ("busy", "wait until the other deed is effective or failed"),
        LedgerError::HeldBy { .. } => ("hold", "resume it first"),
        LedgerError::AlreadySent(_) => ("changed", "look at the backend; it is not sent again"),
        LedgerError::Denied(_) | LedgerError::Refused(_) => ("policy", "plan again to see every reason"),
    };
    Reason::new(rule, &error.to_string(), fix)
}
