//! `gonogo canary judge`: a judgement of two files, without backend, store or configuration.

use std::io::Read as _;
use std::path::Path;

use crate::analysis::judge::{CanaryVerdict, judge};
use crate::cli::args::JudgeArgs;
use crate::cli::canary::csv::{Place, Wrong};
use crate::cli::canary::samples::{self, Side};
use crate::cli::canary::told;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::config::load;
use crate::config::surroundings::{Flags, Surroundings};
use crate::model::judging::JudgeRules;
use crate::model::text::Text;

/// No file of samples is longer.
const LONGEST: u64 = 256 * 1024 * 1024;

/// Judges.
pub fn run(around: &Surroundings, flags: &Flags, args: &JudgeArgs) -> Exit {
    let (rules, warnings) = match load::judge(around, flags) {
        Ok(found) => found,
        Err(problems) => {
            out::words(&problems.to_string());
            return Exit::Configuration;
        }
    };
    for warning in warnings {
        out::words(&warning.to_string());
    }
    // Both files are looked at before the first problem ends it.
    let (baseline, canary) = (side(around, &args.baseline, &rules), side(around, &args.canary, &rules));
    let (Some(baseline), Some(canary)) = (baseline, canary) else { return Exit::Failed };
    let judgement = judge(&rules, &samples::pair(baseline, canary));
    if args.json {
        out::json(&told::json(&judgement));
    } else {
        out::line(&told::words(&judgement));
    }
    match judgement.verdict {
        CanaryVerdict::Pass => Exit::Done,
        CanaryVerdict::Marginal => Exit::Marginal,
        CanaryVerdict::Fail => Exit::Worse,
        CanaryVerdict::Early | CanaryVerdict::Nodata => Exit::NoEvidence,
    }
}

/// One file; what is wrong with it is told on standard error, a line each.
fn side(around: &Surroundings, path: &Path, rules: &JudgeRules) -> Option<Side> {
    let shown = Text::clean(&path.display().to_string());
    let tell = |wrong: &Wrong| {
        let (what, expected) = (Text::clean_within(&wrong.what, 300), Text::clean_within(&wrong.expected, 300));
        out::words(&format!("{shown}:{}:{}: {what}; expected {expected}", wrong.place.line, wrong.place.column));
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(around.working_dir.join(path));
    if let Err(error) = file.and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)) {
        out::words(&format!("gonogo: failed to read {shown}: {error}"));
        return None;
    }
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        out::words(&format!("gonogo: failed to read {shown}: it is longer than 256 MiB; judge a shorter time"));
        return None;
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let before = String::from_utf8_lossy(good);
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let place = Place { line: before.matches('\n').count() + 1, column };
            tell(&Wrong::new(place, "the file is no UTF-8", "text in UTF-8"));
            return None;
        }
    };
    match samples::read(&text, rules) {
        Ok(side) => Some(side),
        Err(found) => {
            found.iter().for_each(tell);
            None
        }
    }
}
