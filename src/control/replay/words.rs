//! What an event is, in a few words for the scrubber.

use crate::control::event::Event;
use crate::model::text::Text;

/// The words of an event.
pub fn of(event: &Event) -> Text {
    let words = match event {
        Event::Polled { backend, result: Ok(_), .. } => format!("{backend} says something new"),
        Event::Polled { backend, result: Err(error), .. } => format!("{backend} {}: {}", error.kind.word(), error.detail),
        Event::CalendarRead { calendar, result, .. } => read(calendar.as_str(), result.is_ok()),
        Event::AuthorsRead { span, result, .. } => read(&format!("who made {}", span.to), result.is_ok()),
        Event::ObjectiveRead { key, result, .. } => read(&format!("objective {} of {}", key.name, key.target), result.is_ok()),
        Event::Probed { target, name, .. } => format!("check {name} of {target} was made"),
        Event::AuthorsWanted { .. } => "authors are asked for".to_owned(),
        Event::LogRead { backend, result, .. } => read(&format!("a log of {backend}"), result.is_ok()),
        Event::StoreRead { result } => read("the store", result.is_ok()),
        Event::JournalRead { .. } => "the journal was read".to_owned(),
        Event::JournalWritten { trouble: Some(_) } => "the journal could not be written".to_owned(),
        Event::JournalWritten { trouble: None } => "the journal is written again".to_owned(),
        Event::Verified { result } => {
            if result.is_ok() { "the ledger was verified" } else { "the ledger could not be verified" }.to_owned()
        }
        Event::Confirmed { plan } => format!("{} confirmed {} {}", plan.intent.requester, plan.intent.verb.word(), plan.target()),
        Event::Refused { plan, .. } => format!("{} {} of {} was denied", plan.intent.verb.word(), plan.target(), plan.intent.requester),
        Event::Began { plan, result } => format!("{} {}", plan.short(), done("began", result.is_ok())),
        Event::Sending { plan, step, result } => format!("{} step {step} {}", plan.short(), done("is being sent", result.is_ok())),
        Event::Answered { plan, step, result } => format!("{} step {step} {}", plan.short(), done("was answered", result.is_ok())),
        Event::Recorded { plan, kind, result, .. } => format!("{} {} {}", plan.short(), kind.word(), done("was recorded", result.is_ok())),
        Event::Looked { plan, .. } => format!("{} was looked for", plan.short()),
        Event::Adopted { plan, .. } => format!("{} was taken over", plan.short()),
        Event::Noted { plan, .. } => format!("{} was written down", plan.short()),
        Event::Rule { ruling } | Event::RulingSigned { ruling, .. } | Event::Ruled { ruling, .. } => {
            format!("{} says {} to {}", ruling.person, ruling.decision.word(), ruling.plan.short())
        }
        Event::Signed { plan, .. } => format!("{} was signed", plan.short()),
        Event::NameRules { naming } | Event::NamingSigned { naming, .. } | Event::RulesNamed { naming, .. } => {
            format!("{} stands for changed rules", naming.person)
        }
        Event::Here { .. } => "somebody came or went".to_owned(),
        Event::Recognised { actor: Some(actor), .. } => format!("{actor} is at the keys"),
        Event::Recognised { actor: None, .. } => "it was asked who is at the keys".to_owned(),
        Event::Speak { .. } | Event::SayingSigned { .. } | Event::Spoke { .. } => "something was said about a role or review".to_owned(),
        Event::Looking { .. } => "somebody looks elsewhere".to_owned(),
        Event::Following { .. } => "a log was opened or closed".to_owned(),
        Event::VerifyAsked => "the ledger is being verified".to_owned(),
        Event::Slept { span } => format!("the machine slept {} s", span.as_secs()),
        Event::Reloaded { .. } => "the configuration was read again".to_owned(),
        Event::Woke => "time passed".to_owned(),
    };
    Text::clean_within(&words, 300)
}

fn read(what: &str, well: bool) -> String {
    if well { format!("{what} was read") } else { format!("{what} could not be read") }
}

fn done(what: &str, well: bool) -> String {
    if well { what.to_owned() } else { format!("{what}, and that failed") }
}
