//! The picture of the store: what the room keeps in sight of it.

use crate::control::event::StorePicture;
use crate::model::outbox::Progress;
use crate::ports::ledger::{Ledger, LedgerError};
use crate::ports::outbox::Outbox;

/// Entries that the room keeps in sight.
const ENTRIES: u32 = 500;
/// Deeds that the room keeps in sight.
const DEEDS: u32 = 50;
/// Changes at desks that the room keeps in sight.
const DESK_CHANGES: u32 = 200;

/// Reads it.
pub(super) async fn read(ledger: &dyn Ledger, outbox: Option<&dyn Outbox>) -> Result<StorePicture, LedgerError> {
    let size = ledger.size().await?;
    Ok(StorePicture {
        states: ledger.states().await?,
        open: ledger.open_deeds().await?,
        recent: ledger.recent_deeds(DEEDS).await?,
        waiting: ledger.waiting().await?,
        past: ledger.past().await?,
        reviews: ledger.reviews().await?,
        grants: ledger.grants().await?,
        entries: ledger.entries(size.saturating_sub(u64::from(ENTRIES)), ENTRIES).await?,
        size,
        witnesses: ledger.witnesses(),
        rules: ledger.rules().await?,
        receivers: match outbox {
            Some(outbox) => outbox.progress().await?.into_iter().filter(Progress::needs_a_person).collect(),
            None => Vec::new(),
        },
        desk_changes: match outbox {
            Some(outbox) => outbox.desk_changes(DESK_CHANGES).await?,
            None => Vec::new(),
        },
    })
}
