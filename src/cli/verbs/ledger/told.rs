//! The ledger as others read it, written while it is read: CSV, OSCAL, in-toto.

use std::io::Write;

use serde_json::Value;

use crate::adapters::formats::oscal::{Assessment, Tally};
use crate::adapters::formats::topic::Topic;
use crate::adapters::formats::{csv, in_toto};
use crate::cli::args::ExportFormat;
use crate::config::settings::Config;
use crate::model::dossier::{Dossier, Selection};
use crate::model::text::Text;
use crate::ports::ledger::LedgerError;
use crate::store::{Look, SqliteStore};

/// Why an export fell short.
pub enum Short {
    /// The ledger could not be read, or nothing could be signed.
    Ledger(LedgerError),
    /// The file could not be written.
    File(std::io::Error),
}

impl From<LedgerError> for Short {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<std::io::Error> for Short {
    fn from(error: std::io::Error) -> Self {
        Self::File(error)
    }
}

/// Writes what is wanted of the ledger.
pub async fn write(
    store: &SqliteStore,
    config: &Config,
    format: ExportFormat,
    wanted: &Selection,
    to: &mut (impl Write + Send),
) -> Result<(), Short> {
    let mut look = store.look_at().await?;
    match format {
        ExportFormat::Jsonl => {}
        ExportFormat::Csv => {
            to.write_all(csv::header().as_bytes())?;
            let row = |dossier: Dossier| Ok::<_, Short>(to.write_all(csv::row(&dossier, &team(config, &dossier)).as_bytes())?);
            look.dossiers(wanted, row).await?;
        }
        ExportFormat::Oscal => assess(&mut look, config, wanted, to).await?,
        ExportFormat::InToto => attest(store, &mut look, wanted, to).await?,
    }
    Ok(look.end().await?)
}

/// The team that a service belongs to by the present configuration; empty when it has none.
fn team(config: &Config, dossier: &Dossier) -> String {
    let service = dossier.target.as_ref().and_then(|target| config.catalog.services.get(&target.service));
    service.and_then(|service| service.team.as_ref()).map(ToString::to_string).unwrap_or_default()
}

/// One envelope for what each person said last.
async fn attest(store: &SqliteStore, look: &mut Look<'_>, wanted: &Selection, to: &mut (impl Write + Send)) -> Result<(), Short> {
    let installation = look.installation().to_owned();
    let key = store.public_key().map(|public| in_toto::key_id(&public)).unwrap_or_default();
    let unsigned = || {
        LedgerError::Unwritable(Text::clean(
            "an envelope is signed by the process key, which this user cannot read; run it as the store's owner",
        ))
    };
    let each = |dossier: Dossier| {
        for said in dossier.said() {
            let payload = in_toto::statement(&dossier, &said, &installation);
            let payload = payload.map_err(|error| LedgerError::Broken(Text::clean(&error.to_string())))?;
            let signature = store.sign_envelope(in_toto::PAYLOAD, &payload).ok_or_else(unsigned)?;
            to.write_all(in_toto::envelope(&payload, &key, &signature).as_bytes())?;
        }
        Ok::<_, Short>(())
    };
    look.dossiers(wanted, each).await
}

/// The assessment: counted first, then written list by list, so that no list is kept.
async fn assess(look: &mut Look<'_>, config: &Config, wanted: &Selection, to: &mut (impl Write + Send)) -> Result<(), Short> {
    let installation = look.installation().to_owned();
    let assessment = Assessment::new(&config.oscal, &installation, look.size, look.at, wanted);
    let mut tally = Tally::default();
    let count = |dossier: Dossier| {
        assessment.count(&mut tally, &dossier);
        Ok::<_, Short>(())
    };
    look.dossiers(wanted, count).await?;
    to.write_all(assessment.head(&tally).as_bytes())?;
    // OSCAL takes no empty list: what has nothing in it is left out.
    if !tally.is_empty() {
        to.write_all(b",\"observations\":[")?;
        let mut list = List::default();
        look.dossiers(wanted, |dossier| Ok::<_, Short>(list.add(to, &assessment.observation(&dossier))?)).await?;
        to.write_all(b"]")?;
    }
    let findings = assessment.findings(&tally);
    if !findings.is_empty() {
        to.write_all(b",\"findings\":[")?;
        let mut list = List::default();
        for (topic, finding) in &findings {
            list.begin(to)?;
            relate(look, &assessment, wanted, (*topic, finding), to).await?;
        }
        to.write_all(b"]")?;
    }
    Ok(to.write_all(assessment.tail().as_bytes())?)
}

/// One finding with the observations that it rests on.
async fn relate(
    look: &mut Look<'_>,
    assessment: &Assessment<'_>,
    wanted: &Selection,
    (topic, finding): (Topic, &Value),
    to: &mut (impl Write + Send),
) -> Result<(), Short> {
    let text = finding.to_string();
    to.write_all(text.strip_suffix('}').unwrap_or(&text).as_bytes())?;
    to.write_all(b",\"related-observations\":[")?;
    let mut list = List::default();
    let each = |dossier: Dossier| match assessment.related(topic, &dossier) {
        Some(one) => Ok::<_, Short>(list.add(to, &one)?),
        None => Ok(()),
    };
    look.dossiers(wanted, each).await?;
    Ok(to.write_all(b"]}")?)
}

/// A JSON list as it is written: a comma before all but the first.
#[derive(Default)]
struct List {
    begun: bool,
}

impl List {
    fn begin(&mut self, to: &mut impl Write) -> std::io::Result<()> {
        if std::mem::replace(&mut self.begun, true) { to.write_all(b",\n") } else { Ok(()) }
    }

    fn add(&mut self, to: &mut impl Write, one: &Value) -> std::io::Result<()> {
        self.begin(to)?;
        to.write_all(one.to_string().as_bytes())
    }
}
