//! `gonogo slo backtest`: what the rules would have fired in the past, by the same evaluation as live.

mod incidents;
mod told;

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;

use self::told::{Backtest, Walked};
use super::selected;
use crate::adapters::clock::SystemClock;
use crate::analysis::burn::backtest::{Manner, walk};
use crate::analysis::burn::history::History;
use crate::cli::args::SloBacktest;
use crate::cli::exit::Exit;
use crate::cli::{compose, out, settle};
use crate::config::surroundings::{Flags, Surroundings};
use crate::control::objectives::{self, COARSE_S, fine_step, last_end};
use crate::model::error::{PortError, PortErrorKind};
use crate::model::name::Target;
use crate::model::objective::{HistoryReading, Objective, ObjectiveKey, Stretch};
use crate::ports::clock::Clock;
use crate::ports::metrics::MOST_STRETCHES;
use crate::ports::{Port, Ports};

/// How far back it goes when no beginning is given.
const USUAL: TimeDelta = TimeDelta::days(30);

/// Walks the rules over the past.
pub(super) async fn run(around: &Surroundings, flags: &Flags, args: &SloBacktest) -> Result<Exit, Exit> {
    let loaded = settle::needed(around, flags)?;
    let catalog = loaded.config.catalog.clone();
    let chosen = selected(&catalog, args.selector.as_deref())?;
    let clock: std::sync::Arc<dyn Clock> = std::sync::Arc::new(SystemClock);
    let now_s = clock.now().wall.timestamp();
    let to_s = args.to.map_or(now_s, |to| to.timestamp()).min(now_s);
    let from_s = args.from.map_or(to_s - USUAL.num_seconds(), |from| from.timestamp());
    if from_s >= to_s {
        out::words("gonogo: the time ends before it begins; --from must be before --to, and --to not in the future");
        return Err(Exit::Usage);
    }
    let services: BTreeSet<_> = catalog.services.keys().cloned().collect();
    let incidents = match &args.incidents {
        Some(file) => Some(incidents::read(file, &services)?),
        None => None,
    };
    let ports = compose::adapters(loaded.config, around.clone(), clock).await;
    let manner = Manner { after: args.after, keep: args.keep };
    let mut walks = Vec::new();
    for (objective, target) in &chosen {
        let (history, step_s) = history(&ports, objective, target, (from_s, to_s)).await.map_err(|error| {
            out::words(&format!("gonogo: {error}"));
            Exit::Unreachable
        })?;
        let step = i64::from(step_s);
        let span = (from_s.div_euclid(step) * step, history.newest().unwrap_or(to_s).min(to_s));
        let found = walk(objective, &history, span, Duration::from_secs(u64::from(step_s)), manner);
        walks.push(Walked { objective, target: target.clone(), found, step_s });
    }
    let test = Backtest { walks, incidents, span: (from_s, to_s), operators: args.operators };
    if args.json {
        out::json(&test.object());
    } else {
        out::line(test.words().trim_end());
    }
    Ok(Exit::Done)
}

/// What was counted in the time, and before it as far as the longest window reaches.
async fn history(ports: &Ports, objective: &Objective, target: &Target, (from_s, to_s): (i64, i64)) -> Result<(History, u32), PortError> {
    let key = ObjectiveKey { target: target.clone(), name: objective.name.clone() };
    let longest = objective.rules.iter().map(|rule| i64::try_from(rule.long.as_secs()).unwrap_or(0)).max().unwrap_or(0);
    let begin = from_s - longest;
    // A coarse look tells how often there are samples.
    let coarse = i64::from(COARSE_S);
    let wide = Stretch { from_s: begin.div_euclid(coarse) * coarse, to_s: last_end(to_s + objectives::LAG_S, COARSE_S), step_s: COARSE_S };
    let step_s = fine_step(read(ports, objective, &key, wide).await?.interval_s);
    let step = i64::from(step_s);
    let stretch = Stretch { from_s: begin.div_euclid(step) * step, to_s: last_end(to_s + objectives::LAG_S, step_s), step_s };
    if stretch.count() > MOST_STRETCHES {
        let why = format!("{} stretches of {step_s} s are too many; ask for a shorter time", stretch.count());
        return Err(PortError::new(PortErrorKind::Refused, &objective.backend, "read the history of an objective", &why));
    }
    let mut history = History::default();
    history.take(&read(ports, objective, &key, stretch).await?);
    Ok((history, step_s))
}

async fn read(ports: &Ports, objective: &Objective, key: &ObjectiveKey, stretch: Stretch) -> Result<HistoryReading, PortError> {
    let ask = objectives::ask(objective, key, stretch);
    match ports.get(&objective.backend) {
        Some(Port::Metrics(port)) => port.history(&ask).await,
        Some(Port::Traffic(_) | Port::Alerts(_) | Port::Flags(_) | Port::Ci(_) | Port::Orchestrator(_)) | None => {
            Err(PortError::new(PortErrorKind::Unsupported, &objective.backend, "read the history of an objective", "it keeps none"))
        }
    }
}
