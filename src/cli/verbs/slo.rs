//! `gonogo slo`: objectives, their rules for Prometheus, and what they would have fired.

mod backtest;
mod rules;
mod status;

use crate::cli::args::SloVerb;
use crate::cli::exit::Exit;
use crate::cli::{out, target};
use crate::config::surroundings::{Flags, Surroundings};
use crate::model::catalog::Catalog;
use crate::model::name::Target;
use crate::model::objective::Objective;
use crate::model::text::Text;

/// Runs one of its verbs.
pub async fn run(around: &Surroundings, flags: &Flags, what: SloVerb) -> Exit {
    let ended = match what {
        SloVerb::Status(args) => status::run(around, flags, &args).await,
        SloVerb::Rules(args) => rules::run(around, flags, &args),
        SloVerb::Backtest(args) => backtest::run(around, flags, &args).await,
    };
    match ended {
        Ok(exit) | Err(exit) => exit,
    }
}

/// The objectives that are selected, each with its target.
///
/// # Errors
/// Exit 8 when none is configured, exit 10 when none is selected.
fn selected<'a>(catalog: &'a Catalog, selector: Option<&str>) -> Result<Vec<(&'a Objective, Target)>, Exit> {
    if catalog.objectives.is_empty() {
        out::words(
            "gonogo: no objective is configured; write an [[slo]] (`gonogo config example` shows one), or name files in `slo_files`",
        );
        return Err(Exit::Configuration);
    }
    let looked = target::looked_at(selector)?;
    let all: Vec<_> = catalog
        .objectives
        .iter()
        .flat_map(|objective| objective.targets().map(move |target| (objective, target)))
        .filter(|(_, target)| looked.at(catalog, target))
        .collect();
    if all.is_empty() {
        let typed = Text::clean_within(selector.unwrap_or_default(), 80);
        out::words(&format!(
            "gonogo: `{typed}` selects no objective; expected a service, @environment or service@environment that has one"
        ));
        return Err(Exit::Target);
    }
    Ok(all)
}
