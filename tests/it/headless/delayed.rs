//! A ledger into which the sending of an effect cannot be written to its end, so that its writer stands between the intent and that.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

/// The entry of a sending is written by whoever has counted all numbers. Views may count them, and triggers may ask views.
const NEVER: &str = "CREATE VIEW every_number AS WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number) SELECT n FROM number; \
     CREATE TRIGGER never BEFORE INSERT ON entry WHEN NEW.kind = 'sending' BEGIN SELECT count(n) FROM every_number; END";
const AGAIN: &str = "DROP TRIGGER never; DROP VIEW every_number";

/// One in which that is so; its other entries are written and read as ever.
pub struct Delayed {
    ledger: PathBuf,
}

impl Delayed {
    /// Makes it so in a store that has a ledger.
    pub fn sending(store: &Path) -> Self {
        let delayed = Self { ledger: store.join("ledger.db") };
        delayed.run(NEVER);
        delayed
    }

    /// Undoes it, once no writer stands there any more.
    pub fn end(self) {
        self.run(AGAIN);
    }

    fn run(&self, statements: &'static str) {
        let options = SqliteConnectOptions::new().filename(&self.ledger);
        let done = async {
            let mut connection = options.connect().await?;
            sqlx::raw_sql(statements).execute(&mut connection).await?;
            connection.close().await
        };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(done).unwrap();
    }
}
