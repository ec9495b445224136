//! Earlier schemas: what a former version of the store wrote is opened, verified and appended to.

use super::format::filled;
use super::*;
use crate::model::reason::Reason;
use crate::ports::journal::Journal as _;
use crate::ports::ledger::Ledger as _;
use crate::store::sign::ProcessKey;

/// One folder a schema: `ledger.db`, `journal.db` and `checkpoint`, written by [`filled`] when that schema was the newest.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/store");

/// Lays the fixture of a schema into a directory, with the process key of [`identity`], which is no secret.
fn lay(schema: &str, dir: &Path) {
    for name in ["ledger.db", "journal.db", "checkpoint"] {
        std::fs::copy(Path::new(FIXTURES).join(schema).join(name), dir.join(name)).unwrap();
    }
    let key = ProcessKey::from_seed(&identity().seed, Some("test")).unwrap();
    std::fs::write(dir.join("process.key"), key.to_openssh().unwrap()).unwrap();
    std::fs::set_permissions(dir.join("process.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

/// Writes the fixture of the present schema; run it by hand right before the schema changes.
#[tokio::test]
#[ignore = "writes a fixture"]
async fn write_the_fixture_of_this_schema() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = filled(dir.path(), &clock).await;
    let (waits, denied, open) = (plan(&clock, Verb::Note, "5"), plan(&clock, Verb::Note, "6"), plan(&clock, Verb::Abort, "7"));
    store.store_plan(&waits).await.unwrap();
    store.wait_for(waits.id).await.unwrap();
    store.deny(&denied, &[Reason::new("freeze", "a freeze", "wait until it ends")]).await.unwrap();
    let begun = store.begin(&open, &yes(open.id)).await.unwrap();
    store.sending(&begun, 0).await.unwrap();
    store.append(&[super::line("other", clock.now().wall, &serde_json::json!({}))]).await.unwrap();
    let row = sqlx::query("PRAGMA user_version").fetch_one(&mut *store.conn.lock().await).await.unwrap();
    let schema: i64 = sqlx::Row::get(&row, 0);
    store.close().await;
    let to = Path::new(FIXTURES).join(schema.to_string());
    std::fs::create_dir_all(&to).unwrap();
    for name in ["ledger.db", "journal.db", "checkpoint"] {
        std::fs::copy(dir.path().join(name), to.join(name)).unwrap();
    }
}

#[tokio::test]
async fn what_every_earlier_schema_wrote_is_opened_verified_and_appended_to() {
    let schemas: Vec<String> =
        std::fs::read_dir(FIXTURES).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for earlier in 1..crate::store::schema::newest() {
        assert!(schemas.contains(&earlier.to_string()), "no fixture of schema {earlier}: {schemas:?}");
    }
    for schema in schemas {
        let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
        lay(&schema, dir.path());
        let kept = std::fs::read_to_string(dir.path().join("checkpoint")).unwrap();
        let store = store(dir.path(), &clock).await;
        assert_eq!(store.condition(), None, "schema {schema}");
        assert!(store.verify().await.unwrap().intact, "schema {schema}");
        let size = store.size().await.unwrap();
        assert_eq!(store.entries(0, 99).await.unwrap().len(), usize::try_from(size).unwrap());
        // What was under way, waited or was remembered is still there, and goes on.
        let waiting = store.waiting().await.unwrap().remove(0).plan;
        let open = store.open_deeds().await.unwrap();
        let [open] = open.as_slice() else { panic!("{open:?}") };
        assert_eq!((open.deed.verb, open.owner_alive), (Verb::Abort, false));
        store.adopt(open.deed.plan).await.unwrap();
        store.record(open.deed.plan, &outcome(EntryKind::Effective, None)).await.unwrap();
        store.begin(&waiting, &yes(waiting.id)).await.unwrap();
        assert_eq!(store.recent_deeds(99).await.unwrap().len(), 6);
        assert_eq!(store.states().await.unwrap().len(), 1);
        assert!(store.happenings(9).await.unwrap().is_empty());
        store.append(&[super::line("other", clock.now().wall, &serde_json::json!({}))]).await.unwrap();
        assert!(store.verify_with(Some(kept), None).await.unwrap().intact, "schema {schema}");
        assert!(store.size().await.unwrap() >= size + 4);
        store.close().await;
        assert_eq!(super::store(dir.path(), &clock).await.condition(), None, "schema {schema}");
    }
}
