//! What a person says beside plans, brought before the ledger.

use crate::control::event::Event;
use crate::control::saying::By;
use crate::model::self_service::{Saying, Spoken};
use crate::ports::ledger::{GrantAt, Ledger};
use crate::ports::signer::Signed;

/// Records what is said, unless the rules are against it inside the transaction.
pub(super) async fn speak(ledger: &dyn Ledger, saying: Saying, signed: Option<&Signed>, by: &By<'_>) -> Event {
    let result = match &saying {
        Saying::Review(finding) => ledger.review(finding, signed, &|found| by.against_review(found)).await.map(Spoken::Review),
        Saying::Grant(_) | Saying::Agree(_) | Saying::Revoke(_) => {
            let may = |found: &GrantAt<'_>| by.against_grant(&saying, found);
            ledger.grant(&saying, signed, &may).await.map(Spoken::Grant)
        }
    };
    Event::Spoke { saying, result: result.map(Box::new) }
}
