//! The outbox from the command line: what a verb tells, what it says it could not, and what a person does about it.

use serde_json::json;

use crate::headless::place::{Pair, Room, texts};
use crate::servers::receiver::{Answer, Receiver};

#[test]
fn a_deed_is_told_by_the_verb_that_does_it_and_what_is_refused_is_seen_retried_and_given_up() {
    let (pair, pool) = (Pair::shared(), Pair::pool());
    let audit = Receiver::start();
    let more = format!("[[webhook]]\nname = \"audit\"\nurl = \"{}\"\nevents = [\"intent\", \"effective\", \"hold\"]\n", audit.url());
    let place = Room { more, ..pair.room(&pool) }.place();
    place.run(&["shift", "checkout@prod", "20"]).exits(0);
    let got = audit.got();
    let types: Vec<_> = got.iter().map(|got| got.json()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(types[..2], ["dev.gonogo.deed.intended.v1", "dev.gonogo.deed.effective.v1"], "{types:?}");
    assert!(got.iter().all(|got| got.head("webhook-signature").is_none()), "no secret, no signature");

    // The receiver is away: the verb says so, in bounded time, and the deed is done none the less.
    audit.answers([Answer::Status(503, "Retry-After: 60\r\n")]);
    let said = place.run(&["hold", "checkout@prod"]).exits(0);
    assert!(said.err.contains("3 notices for `audit` not delivered yet") && said.err.contains("503"), "{said:?}");
    let list = place.json(0, &["outbox", "list"]);
    let one = &list["receivers"][0];
    assert_eq!((&one["name"], &one["waiting"], &one["tries"], &one["configured"]), (&"audit".into(), &3.into(), &1.into(), &true.into()));
    assert!(one["again_at"].is_string(), "{list}");
    let doctor = place.run(&["doctor"]).exits(0);
    assert!(doctor.out.contains("receiver audit: last delivered") && doctor.out.contains("3 waiting"), "{}", doctor.out);
    let doctor = place.json(0, &["doctor"]);
    assert_eq!(doctor["receivers"][0]["waiting"], 3, "{doctor}");
    place.run(&["outbox", "deliver", "--within", "1s"]).exits(6);
    assert_eq!(place.json(10, &["outbox", "retry", "audit"]), json!({"schema": 1, "again": 0}));
    place.run(&["outbox", "forget", "audit"]).exits(2);
    place.run(&["outbox", "drop", "audit", "--reason", " "]).exits(2);
    place.run(&["outbox", "retry", "audit/x"]).exits(2);

    // Without it in the configuration it may be forgotten, and nothing is written for nobody.
    place.configure(&pair.room(&pool).text());
    let list = place.json(0, &["outbox", "list"]);
    assert_eq!((&list["receivers"][0]["configured"], texts(&list["receivers"], "name")), (&false.into(), vec!["audit".to_owned()]));
    place.run(&["outbox", "forget", "audit"]).exits(0);
    assert_eq!(place.json(0, &["outbox", "list"])["receivers"], json!([]));
    place.run(&["ledger", "verify"]).exits(0);
}

#[test]
fn broken_glass_is_announced_as_a_line_of_text() {
    let (pair, pool) = (Pair::shared(), Pair::pool());
    let chat = Receiver::start();
    let more = String::from(
        "[[webhook]]\nname = \"chat\"\nurl = { env = \"CHAT_URL\" }\nevents = [\"break-glass\"]\nformat = \"text\"\nmember = \"text\"\n",
    );
    let environment = "hold_time = \"1s\"\nprotection = { approvals = 1 }".to_owned();
    let people = crate::headless::place::people(&["captain"]);
    let place = Room { environment, people, more, ..pair.room(&pool) }.place();
    let mut command = place.command(
        env!("CARGO_BIN_EXE_gonogo"),
        &["break-glass", "shift", "checkout@prod", "20", "--reason", "checkout sells nothing <now>"],
    );
    let said = crate::headless::place::Place::started(command.env("CHAT_URL", format!("{}?token=abc", chat.url()))).end().exits(0);
    assert!(!said.err.contains("token=abc"), "{said:?}");
    let got = chat.got();
    assert_eq!(got.len(), 1, "{got:?}");
    assert!(got[0].line.ends_with("/hooks/gonogo?token=abc HTTP/1.1"), "{}", got[0].line);
    let text = got[0].json()["text"].as_str().unwrap().to_owned();
    assert!(
        text.contains("BREAK GLASS shift checkout@prod by ana until ") && text.ends_with(": checkout sells nothing &lt;now&gt;"),
        "{text}"
    );
}
