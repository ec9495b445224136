//! What stands behind a verb and its target on the command line.

use crate::cli::exit::Exit;
use crate::cli::out;
use crate::config::duration;
use crate::model::flag::FlagWish;
use crate::model::intent::{Arguments, Verb};
use crate::model::pipeline::RunId;
use crate::model::share::Percent;
use crate::model::silence::SilenceWish;
use crate::model::text::Text;

/// What stands after the target of a promotion that skips the steps of an orchestrator.
pub const FULL: &str = "full";

/// Turns typed words into the arguments of a verb.
///
/// # Errors
/// Exit 2, having said what was expected.
pub fn arguments(verb: Verb, words: &[String], run: Option<&str>, failed_only: bool) -> Result<Arguments, Exit> {
    let usage = |text: &str| {
        out::words(&format!("gonogo: {text}"));
        Exit::Usage
    };
    if failed_only && verb != Verb::Retry {
        return Err(usage(&format!("{} takes no --failed", verb.word())));
    }
    let mut args = Arguments { failed_only, ..Arguments::default() };
    match (verb, words) {
        (Verb::Shift, [percent]) => {
            let share = percent.trim_end_matches('%').parse().ok().and_then(Percent::new);
            let wrong = || usage(&format!("`{}` is no share; expected a whole number from 0 to 100", Text::clean_within(percent, 40)));
            args.percent = Some(share.ok_or_else(wrong)?);
        }
        (Verb::Shift, _) => return Err(usage("a shift needs a share: shift TARGET PERCENT")),
        (Verb::Rollout, [version]) => args.version = Some(Text::clean(version)),
        (Verb::Promote, [word]) if word == FULL => args.full = true,
        (Verb::Note, words) if !words.is_empty() => args.text = Some(Text::clean(&words.join(" "))),
        (Verb::Note, _) => return Err(usage("a note needs a text: note TARGET TEXT")),
        (Verb::Flag, [name, to]) => {
            let to = to.parse().map_err(|wrong: String| usage(&wrong))?;
            args.flag = Some(Box::new(FlagWish { name: name.clone(), to }));
        }
        (Verb::Flag, _) => return Err(usage("a flag needs its name and what it shall be: flag TARGET NAME on|off|PERCENT")),
        (Verb::Drain | Verb::Ready, [server]) => {
            let named = server.parse().map_err(|wrong| usage(&format!("`{}` is no server: {wrong}", Text::clean_within(server, 80))));
            args.server = Some(Box::new(named?));
        }
        (Verb::Drain | Verb::Ready, _) => return Err(usage(&format!("{0} needs a server: {0} TARGET SERVER", verb.word()))),
        (Verb::Silence, [alert, lasts]) => {
            let span = duration::parse(lasts)
                .ok_or_else(|| usage(&format!("`{}` is no time; expected 1m to 8h", Text::clean_within(lasts, 40))))?;
            args.silence = Some(Box::new(SilenceWish { alert: alert.clone(), lasts: Some(span) }));
        }
        (Verb::Silence, _) => return Err(usage("a silence needs an alert and a time: silence TARGET --alert NAME --for 2h --reason ..")),
        (Verb::Unsilence, [alert]) => args.silence = Some(Box::new(SilenceWish { alert: alert.clone(), lasts: None })),
        (Verb::Unsilence, _) => return Err(usage("an alert is needed: unsilence TARGET --alert NAME")),
        (_, []) => {}
        (_, [first, ..]) => {
            return Err(usage(&format!("{} takes nothing after its target; `{}` is too much", verb.word(), Text::clean_within(first, 40))));
        }
    }
    if let Some(run) = run {
        if !verb.is_of_a_run() {
            return Err(usage(&format!("{} takes no --run", verb.word())));
        }
        args.run = Some(
            run.parse::<RunId>().map_err(|_| usage(&format!("`{}` is no run; expected backend/number", Text::clean_within(run, 80))))?,
        );
    }
    Ok(args)
}
