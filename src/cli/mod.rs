//! The command line: composition root, one verb a file.

pub mod args;
mod calendar;
mod canary;
pub mod changes;
pub mod compose;
pub mod exit;
mod fault;
mod files;
mod health;
mod interrupts;
mod json;
mod log;
mod looks;
mod map;
mod objectives;
mod out;
pub mod pack;
mod receivers;
mod redress;
mod settle;
mod stored;
mod story;
mod target;
mod verbs;
mod who;
mod workload;

use std::process::ExitCode;

use clap::Parser as _;

use self::args::{CanaryVerb, ChangesVerb, Cli, Command, ConfigVerb, FlagVerb, LedgerVerb, PolicyVerb, RevokeArgs, RolloutVerb};
use self::exit::Exit;
use crate::config::surroundings::{Flags, Surroundings};
use crate::model::approval::Decision;
use crate::model::intent::Verb;

pub use self::verbs::rollout::object as rollout_object;

/// Runs the program and tells how it ended.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    fault::prepare();
    // Two TLS providers are compiled in by dependencies; without a choice the first connection would fail.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let around = match Surroundings::gather() {
        Ok(around) => around,
        Err(error) => {
            out::words(&format!("gonogo: {error}"));
            return Exit::Configuration.into();
        }
    };
    // One worker: it drives the room and speaks to backends; the glass has the main thread, and so a processor, for itself.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            out::words(&format!("gonogo: failed to start its threads: {error}"));
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(verb(cli, &around));
    // A poll in flight is not worth waiting for; everything that must last is already durable.
    runtime.shutdown_background();
    exit.into()
}

async fn verb(cli: Cli, around: &Surroundings) -> Exit {
    let flags = Flags { config: cli.config, theme: cli.theme, keymap: cli.keymap, read_only: cli.read_only };
    let Some(command) = cli.verb else { return verbs::room::run(around, &flags).await };
    let deed =
        |verb, target, run, words, flags| verbs::deed::Wish { verb, target, run, failed_only: false, words, flags, break_glass: None };
    match command {
        Command::Demo(demo) => verbs::demo::run(around, &flags, &demo).await,
        Command::Status(args) => verbs::status::run(around, &flags, &args).await,
        Command::Show(args) => verbs::show::run(around, &flags, &args).await,
        Command::Watch { jsonl } => verbs::watch::run(around, &flags, jsonl).await,
        Command::Init(args) => verbs::init::run(around, &flags, &args).await,
        Command::Doctor { json } => verbs::doctor::run(around, &flags, json).await,
        Command::Whoami { json } => verbs::whoami::run(around, &flags, json).await,
        Command::Plan(args) => verbs::plan::run(around, &flags, &args).await,
        Command::Explain(args) => verbs::explain::run(around, &flags, &args).await,
        Command::Grant(args) => verbs::grant::take(around, &flags, args).await,
        Command::Revoke(args) => {
            let RevokeArgs { id: grant, reason, json } = args;
            verbs::grant::answer(around, &flags, verbs::grant::Answer { agrees: false, place: None, grant, reason, json }).await
        }
        Command::Grants { json } => verbs::grant::list(around, &flags, json).await,
        Command::Approve(args) => verbs::answer::run(around, &flags, Decision::Approve, args).await,
        Command::Reject(args) => verbs::answer::run(around, &flags, Decision::Reject, args).await,
        Command::Withdraw { id, reason, json } => {
            let wish = verbs::rule::Wish { decision: Decision::Withdraw, target: None, plan: id, reason, json };
            verbs::rule::run(around, &flags, wish).await
        }
        Command::Execute { id, flags: how } => verbs::deed::execute(around, &flags, &id, how).await,
        Command::Hold(args) => verbs::deed::run(around, &flags, deed(Verb::Hold, args.target, None, Vec::new(), args.flags)).await,
        Command::Resume(args) => verbs::deed::run(around, &flags, deed(Verb::Resume, args.target, None, Vec::new(), args.flags)).await,
        Command::Promote(args) => {
            let words = if args.full { vec![verbs::deed::FULL.to_owned()] } else { Vec::new() };
            verbs::deed::run(around, &flags, deed(Verb::Promote, args.deed.target, None, words, args.deed.flags)).await
        }
        Command::Abort(args) => verbs::deed::run(around, &flags, deed(Verb::Abort, args.target, None, Vec::new(), args.flags)).await,
        Command::Rollback(args) => verbs::deed::run(around, &flags, deed(Verb::Rollback, args.target, None, Vec::new(), args.flags)).await,
        Command::Start(args) => verbs::deed::run(around, &flags, deed(Verb::Start, args.target, None, Vec::new(), args.flags)).await,
        Command::Rollouts { what } => match what {
            RolloutVerb::Status(args) => verbs::rollout::status(around, &flags, &args, false).await,
            RolloutVerb::Explain(args) => verbs::rollout::status(around, &flags, &args, true).await,
            RolloutVerb::Advise(args) => verbs::advise::run(around, &flags, &args).await,
            RolloutVerb::Watch(args) => verbs::rollout::watch(around, &flags, &args).await,
            RolloutVerb::Start(args) => verbs::deed::set::run(around, &flags, Verb::Rollout, args.deed, args.version).await,
            RolloutVerb::Hold(args) => verbs::deed::set::run(around, &flags, Verb::Hold, args, None).await,
            RolloutVerb::Resume(args) => verbs::deed::set::run(around, &flags, Verb::Resume, args, None).await,
            RolloutVerb::Promote(args) => {
                let word = args.full.then(|| verbs::deed::FULL.to_owned());
                verbs::deed::set::run(around, &flags, Verb::Promote, args.deed, word).await
            }
            RolloutVerb::Abort(args) => verbs::deed::set::run(around, &flags, Verb::Abort, args, None).await,
        },
        Command::Shift { target, percent, flags: how } => {
            verbs::deed::run(around, &flags, deed(Verb::Shift, target, None, vec![percent], how)).await
        }
        Command::Drain(args) => verbs::deed::run(around, &flags, deed(Verb::Drain, args.target, None, vec![args.server], args.flags)).await,
        Command::Ready(args) => verbs::deed::run(around, &flags, deed(Verb::Ready, args.target, None, vec![args.server], args.flags)).await,
        Command::Silence(args) => {
            verbs::deed::run(around, &flags, deed(Verb::Silence, args.target, None, vec![args.alert, args.lasts], args.flags)).await
        }
        Command::Unsilence(args) => {
            verbs::deed::run(around, &flags, deed(Verb::Unsilence, args.target, None, vec![args.alert], args.flags)).await
        }
        Command::Retry { deed: args, failed } => {
            let wish = deed(Verb::Retry, args.target, args.run, Vec::new(), args.flags);
            verbs::deed::run(around, &flags, verbs::deed::Wish { failed_only: failed, ..wish }).await
        }
        Command::Cancel(args) => verbs::deed::run(around, &flags, deed(Verb::Cancel, args.target, args.run, Vec::new(), args.flags)).await,
        Command::Note { target, text, flags: how } => verbs::deed::run(around, &flags, deed(Verb::Note, target, None, text, how)).await,
        Command::BreakGlass(args) => verbs::glass::run(around, &flags, args).await,
        Command::Review { id, reason, json } => verbs::glass::review(around, &flags, &id, &reason, json).await,
        Command::Trace(args) => verbs::trace::run(around, &flags, &args).await,
        Command::Policy { what: PolicyVerb::Show { json } } => verbs::policy::show(around, &flags, json).await,
        Command::Policy { what: PolicyVerb::Accept { digest, reason, json } } => {
            verbs::policy::accept(around, &flags, digest.as_deref(), &reason, json).await
        }
        Command::Changes { what: ChangesVerb::Pack(args) } => verbs::changes::write_pack(around, &flags, &args).await,
        Command::Canary { what: CanaryVerb::Judge(args) } => verbs::canary::run(around, &flags, &args),
        Command::Slo { what } => verbs::slo::run(around, &flags, what).await,
        Command::Flags { what } => match what {
            FlagVerb::List(args) => verbs::flag::list(around, &flags, &args).await,
            FlagVerb::Show(args) => verbs::flag::show(around, &flags, &args).await,
            FlagVerb::Set(args) => verbs::flag::set(around, &flags, args).await,
        },
        Command::Render(args) => verbs::render::run(around, &flags, &args).await,
        Command::Replay(args) => verbs::replay::run(around, &flags, args).await,
        Command::Read(args) => verbs::read::run(around, &flags, &args).await,
        Command::Ledger { what: LedgerVerb::List { json } } => verbs::ledger::list(around, &flags, json).await,
        Command::Ledger { what: LedgerVerb::Verify(args) } => verbs::ledger::verify(around, &flags, &args).await,
        Command::Ledger { what: LedgerVerb::Export(args) } => verbs::ledger::export::run(around, &flags, &args).await,
        Command::Ledger { what: LedgerVerb::Notes(args) } => verbs::ledger::notes::run(around, &flags, &args).await,
        Command::Ledger { what: LedgerVerb::Show { n, json } } => verbs::ledger::show::run(around, &flags, n, json).await,
        Command::Ledger { what: LedgerVerb::Prove(args) } => verbs::ledger::prove::run(around, &flags, &args).await,
        Command::Outbox { what } => verbs::outbox::run(around, &flags, what).await,
        Command::Config { what: ConfigVerb::Check } => verbs::config::check(around, &flags),
        Command::Config { what: ConfigVerb::Example } => verbs::config::example(),
        Command::Config { what: ConfigVerb::Schema } => verbs::config::schema(),
        Command::Config { what: ConfigVerb::Trust { file } } => verbs::config::trust(around, &file),
        Command::Metrics => verbs::doctor::metrics(around, &flags).await,
        Command::SupportBundle(args) => verbs::support::run(around, &flags, &args).await,
        Command::Completions { shell } => verbs::completions::run(shell),
        Command::Man { verb } => verbs::man::run(&verb),
    }
}
