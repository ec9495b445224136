//! Feature flags on a real Unleash through the binary: how they stand, setting one, other hands, deaths, freezes, hostile words.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::place::{Place, os_user, texts};
use super::shape;
use crate::servers::between::{Between, Pass};
use crate::servers::support::wait_for;
use crate::servers::unleash::Unleash;

const LONG: Duration = Duration::from_secs(30);
const FREEZE: &str =
    "[[freeze]]\nname = \"now\"\nreason = \"nobody is here\"\nbegin = \"2020-01-01T00:00Z\"\nend = \"2099-01-01T00:00Z\"\n";

/// A flag of a test's own.
fn fresh(unleash: &Unleash) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("flag-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    unleash.flag(&name);
    name
}

/// The configuration of a room over an Unleash at this address with one flag.
fn config(url: &str, flag: &str, environment: &str, more: &str) -> String {
    format!(
        "[[backend]]\nname = \"flags\"\nkind = \"unleash\"\nurl = \"{url}\"\ntoken = {{ file = \"token\" }}\nevery = \"200ms\"\nstale_after = \"20s\"\n\
         lookup_within = \"2s\"\n[[environment]]\nname = \"prod\"\nhold_time = \"1s\"\n{environment}\n[[service]]\nname = \"checkout\"\n[service.deploy.prod]\n\
         strategy = \"canary\"\nflags = [{{ backend = \"flags\", name = \"{flag}\", environment = \"production\" }}]\n{more}"
    )
}

/// A place over an Unleash, straight or with something between.
fn place(unleash: &Unleash, url: Option<String>, flag: &str, environment: &str, more: &str) -> Place {
    let url = url.unwrap_or_else(|| format!("http://127.0.0.1:{}", unleash.port));
    let place = Place::with(&config(&url, flag, environment, more).replace("\"token\"", "\"TOKEN\""));
    let token = token(&place, &unleash.token);
    place.configure(&config(&url, flag, environment, more).replace("\"token\"", &format!("{:?}", token.display().to_string())));
    place
}

/// The token, which nobody else may read.
fn token(place: &Place, token: &str) -> PathBuf {
    let path = place.write("token", token);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn named(flag: &str) -> String {
    format!("checkout/{flag}@prod")
}

#[test]
fn a_flag_is_listed_set_turned_off_and_on_again_and_every_deed_is_on_record() {
    let unleash = Unleash::shared();
    let flag = fresh(&unleash);
    let place = place(&unleash, None, &flag, "", "");
    let name = named(&flag);
    let listed = place.json(0, &["flag", "list"]);
    let one = &listed["flags"][0];
    assert_eq!((&one["flag"], &one["on"], &one["percent"], &one["state"]), (&json!(name), &json!(false), &Value::Null, &json!("fresh")));
    // Without a strategy Unleash itself would give it to everybody.
    let said = place.run(&["flag", "set", &name, "on"]).exits(3);
    assert!(said.err.contains("has no strategy yet") || said.out.contains("has no strategy yet"), "{said:?}");
    assert_eq!(unleash.stands(&flag), (false, vec![]));
    let deed = place.json(0, &["flag", "set", &name, "25", "--reason", "a first share", "--wait", "held"]);
    shape::deed(&deed);
    assert_eq!((&deed["verb"], &deed["target"], &deed["state"]), (&"flag".into(), &"checkout@prod".into(), &"held".into()), "{deed}");
    assert_eq!(unleash.stands(&flag), (true, vec!["25".to_owned()]));
    assert_eq!(place.kinds(), ["signers", "denied", "intent", "sending", "accepted", "effective", "held"]);
    // What stands there already is no deed.
    let said = place.run(&["flag", "set", &name, "25%"]).exits(3);
    assert!(said.out.contains("is on at 25 % already"), "{said:?}");
    place.run(&["flag", "set", &name, "50"]).exits(0);
    assert_eq!(unleash.stands(&flag), (true, vec!["50".to_owned()]));
    place.run(&["flag", "set", &name, "off"]).exits(0);
    assert_eq!(unleash.stands(&flag), (false, vec!["50".to_owned()]));
    place.run(&["flag", "set", &name, "on"]).exits(0);
    assert_eq!(unleash.stands(&flag), (true, vec!["50".to_owned()]));
    let shown = place.json(0, &["flag", "show", &name]);
    assert_eq!((&shown["on"], &shown["percent"], &shown["changed"]["by"]), (&json!(true), &json!(50), &json!("admin")), "{shown}");
    shape::time(&shown["changed"]["at"]);
    let plan = place.json(0, &["plan", "flag", "checkout@prod", &flag, "10"]);
    assert_eq!(plan["undo"].as_str(), Some(format!("flag set {name} 50").as_str()), "{plan}");
    assert!(plan["commands"][0].as_str().unwrap().starts_with("curl -fsS -X PATCH"), "{plan}");
    assert!(!plan.to_string().contains(&unleash.token));
    let said = place.run(&["flag", "set", "checkout/flagg@prod", "10"]).exits(2);
    assert!(said.err.contains("no flag `flagg` is configured at checkout@prod"), "{said:?}");
    place.run(&["ledger", "verify"]).exits(0);
}

#[test]
fn a_dry_run_writes_nothing_and_words_that_are_no_state_are_refused() {
    let unleash = Unleash::shared();
    let flag = fresh(&unleash);
    unleash.gradual(&flag, "5");
    let place = place(&unleash, None, &flag, "", "");
    let said = place.run(&["flag", "set", &named(&flag), "100", "--dry-run"]).exits(0);
    assert!(said.out.contains(&format!("{} is on at 100 %", named(&flag))), "{said:?}");
    for wrong in ["101", "-1", "maybe", "12.5"] {
        place.run(&["flag", "set", &named(&flag), "--", wrong]).exits(2);
    }
    place.run(&["flag", "set", "checkout@prod", "on"]).exits(10);
    place.run(&["flag", "show", "checkout/nix@prod"]).exits(10);
    assert_eq!(unleash.stands(&flag), (false, vec!["5".to_owned()]));
}

#[test]
fn another_hand_since_the_plan_is_refused_in_words() {
    let unleash = Unleash::shared();
    let flag = fresh(&unleash);
    let strategy = unleash.gradual(&flag, "5");
    unleash.turn(&flag, "on");
    let place = place(&unleash, None, &flag, "", "");
    let plan = place.json(0, &["plan", "flag", "checkout@prod", &flag, "50"]);
    unleash.set(&flag, &strategy, "20");
    let said = place.run(&["execute", plan["plan"].as_str().unwrap()]).exits(5);
    assert!(said.out.contains(&format!("{flag} changed since it was planned: it was on at 5 % and is on at 20 %")), "{said:?}");
    assert_eq!(unleash.stands(&flag), (true, vec!["20".to_owned()]));
    assert_eq!(place.newest().as_deref(), Some("denied"));
    // Somebody who gets in between the last look and the write is not overwritten either.
    let other = Arc::clone(&unleash);
    let name = flag.clone();
    let between = Between::start(unleash.port, move |request| {
        if request.starts_with("PATCH ") {
            other.set(&name, &strategy, "33");
        }
        Pass::On
    });
    let place = self::place(&unleash, Some(between.url()), &flag, "", "");
    let said = place.run(&["flag", "set", &named(&flag), "50"]).exits(5);
    assert!(said.out.contains("its strategy was changed by another hand in between"), "{said:?}");
    assert_eq!(unleash.stands(&flag), (true, vec!["33".to_owned()]));
    assert_eq!(place.newest().as_deref(), Some("failed"));
}

#[test]
fn a_process_that_is_killed_before_the_answer_is_settled_by_looking() {
    let unleash = Unleash::shared();
    // Whether it had happened when the process died: what the next one finds.
    for (happened, settled) in [(true, "accepted"), (false, "not-begun")] {
        let flag = fresh(&unleash);
        unleash.gradual(&flag, "5");
        unleash.turn(&flag, "on");
        let (came, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (other, name, here, until) = (Arc::clone(&unleash), flag.clone(), Arc::clone(&came), Arc::clone(&over));
        let between = Between::start(unleash.port, move |request| {
            if !request.starts_with("POST ") || until.load(Ordering::SeqCst) {
                return Pass::On;
            }
            if happened {
                other.turn(&name, "off");
            }
            here.store(true, Ordering::SeqCst);
            wait_for("the process to be dead", LONG, || until.load(Ordering::SeqCst).then_some(()));
            Pass::Cut
        });
        let place = place(&unleash, Some(between.url()), &flag, "", "");
        let running = place.start(&["flag", "set", &named(&flag), "off"]);
        wait_for("the write to leave", LONG, || came.load(Ordering::SeqCst).then_some(()));
        running.kill();
        assert_eq!(running.end().code, None);
        over.store(true, Ordering::SeqCst);
        assert_eq!(place.kinds(), ["signers", "intent", "sending"]);
        let said = place.run(&["note", "checkout@prod", "after it"]).exits(0);
        assert!(said.err.contains("settling flag checkout@prod first, whose process died"), "{said:?}");
        assert_eq!(place.kinds()[3], settled, "{:?}", place.kinds());
        assert_eq!(unleash.stands(&flag), (!happened, vec!["5".to_owned()]));
        assert_eq!(between.writes().len(), 1, "nothing was sent again");
    }
}

#[test]
fn an_answer_that_is_lost_is_looked_up_and_never_sent_again() {
    let unleash = Unleash::shared();
    let flag = fresh(&unleash);
    unleash.gradual(&flag, "5");
    unleash.turn(&flag, "on");
    let between = Between::start(unleash.port, |request| if request.starts_with("PATCH ") { Pass::OnThenCut } else { Pass::On });
    let place = place(&unleash, Some(between.url()), &flag, "", "");
    let deed = place.json(0, &["flag", "set", &named(&flag), "40"]);
    assert_eq!(deed["state"], "effective", "{deed}");
    assert_eq!(place.kinds(), ["signers", "intent", "sending", "unknown", "accepted", "effective"]);
    assert_eq!((unleash.stands(&flag), between.writes().len()), ((true, vec!["40".to_owned()]), 1));
}

#[test]
fn a_server_that_is_gone_is_said_and_nothing_old_is_told_as_fresh() {
    let unleash = Unleash::shared();
    let flag = fresh(&unleash);
    let strategy = unleash.gradual(&flag, "5");
    let gone = Arc::new(AtomicBool::new(true));
    let dead = Arc::clone(&gone);
    let between = Between::start(unleash.port, move |_| if dead.load(Ordering::SeqCst) { Pass::Cut } else { Pass::On });
    let place = place(&unleash, Some(between.url()), &flag, "", "");
    let one = place.json(0, &["flag", "list"])["flags"][0].clone();
    assert_eq!(
        (&one["on"], &one["percent"], &one["state"], &one["age_s"]),
        (&Value::Null, &Value::Null, &json!("unreachable"), &Value::Null)
    );
    let said = place.run(&["flag", "set", &named(&flag), "50"]).exits(6);
    assert!(said.out.contains("flags was never read"), "{said:?}");
    // Off is never stopped by rules; without a reading there is still nothing to compare with, so it is refused and says so.
    place.run(&["flag", "set", &named(&flag), "off"]).exits(6);
    gone.store(false, Ordering::SeqCst);
    // It dies between the plan and its execution: what was read before does not count.
    let plan = place.json(0, &["plan", "flag", "checkout@prod", &flag, "50"]);
    gone.store(true, Ordering::SeqCst);
    place.run(&["execute", plan["plan"].as_str().unwrap()]).exits(6);
    unleash.set(&flag, &strategy, "6");
    assert_eq!((unleash.stands(&flag), between.writes().len()), ((false, vec!["6".to_owned()]), 0));
}

#[test]
fn a_freeze_stops_on_and_up_and_never_off_and_down() {
    let unleash = Unleash::shared();
    let flag = fresh(&unleash);
    unleash.gradual(&flag, "50");
    unleash.turn(&flag, "on");
    let place = place(&unleash, None, &flag, "", FREEZE);
    let name = named(&flag);
    let said = place.run(&["flag", "set", &name, "60"]).exits(3);
    assert!(said.out.contains("checkout@prod is frozen by now"), "{said:?}");
    place.run(&["flag", "set", &name, "20"]).exits(0);
    place.run(&["flag", "set", &name, "off"]).exits(0);
    assert_eq!(unleash.stands(&flag), (false, vec!["20".to_owned()]));
    place.run(&["flag", "set", &name, "on"]).exits(3);
    // A hold as well is against what goes forward alone.
    let held = self::place(&unleash, None, &flag, "", "");
    held.run(&["hold", "checkout@prod"]).exits(0);
    held.run(&["flag", "set", &name, "on"]).exits(3);
    assert_eq!(unleash.stands(&flag), (false, vec!["20".to_owned()]));
}

#[test]
fn on_waits_for_the_second_person_whom_the_environment_asks_for_and_off_for_nobody() {
    let unleash = Unleash::shared();
    let flag = fresh(&unleash);
    unleash.gradual(&flag, "50");
    let people = format!(
        "[[person]]\nname = \"ana\"\nos_user = \"{}\"\nroles = [{{ role = \"captain\" }}]\n[[person]]\nname = \"cy\"\nos_user = \"nobody-else\"\nroles = [{{ role = \"captain\" }}]\n",
        os_user()
    );
    let place = place(&unleash, None, &flag, "protection = { approvals = 1, actor_roles = [\"captain\"] }", &people);
    let name = named(&flag);
    let deed = place.json(4, &["flag", "set", &name, "on"]);
    assert_eq!(deed["state"], "waiting", "{deed}");
    assert_eq!(unleash.stands(&flag), (false, vec!["50".to_owned()]));
    unleash.turn(&flag, "on");
    place.run(&["flag", "set", &name, "off"]).exits(0);
    assert_eq!(unleash.stands(&flag), (false, vec!["50".to_owned()]));
    let roles = people.replace("captain\"", "guest\"");
    let stranger = self::place(&unleash, None, &flag, "protection = { actor_roles = [\"captain\"] }", &roles);
    stranger.run(&["flag", "set", &name, "10"]).exits(3);
}

#[test]
fn strategies_of_another_kind_are_shown_whole_their_percentage_stays_and_hostile_words_are_made_harmless() {
    let unleash = Unleash::shared();
    let flag = fresh(&unleash);
    unleash.gradual(&flag, "5");
    let title = "\u{1b}[2J\u{202e}evil\u{7}";
    unleash.ask("POST", "/api/admin/strategies", &json!({ "name": "byUser", "parameters": [{ "name": "userIds", "type": "list" }] }));
    unleash.strategy(&flag, &json!({ "name": "byUser", "title": title, "parameters": { "userIds": "ana,bo" } }));
    let place = place(&unleash, None, &flag, "", "");
    let name = named(&flag);
    let said = place.run(&["flag", "show", &name]).exits(0);
    assert!(said.out.contains("flexibleRollout groupId") && said.out.contains("userIds=ana,bo"), "{said:?}");
    assert!(!said.out.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{said:?}");
    let said = place.run(&["flag", "set", &name, "50"]).exits(3);
    assert!(said.out.contains("it has 2 strategies, each of which can choose users"), "{said:?}");
    // On and off are absolute all the same.
    place.run(&["flag", "set", &name, "on"]).exits(0);
    assert!(unleash.stands(&flag).0);
    place.run(&["flag", "set", &name, "off"]).exits(0);
    assert_eq!(unleash.stands(&flag), (false, vec!["5".to_owned(), "-".to_owned()]));
    unleash.archive(&flag);
    let one = place.json(0, &["flag", "list"])["flags"][0].clone();
    assert!(one["missing"].as_str().is_some_and(|why| why.contains("404")), "{one}");
    place.run(&["flag", "set", &name, "on"]).exits(3);
}

#[test]
fn a_token_that_the_server_repeats_is_withheld_and_a_wrong_one_is_said() {
    let unleash = Unleash::shared();
    let flag = fresh(&unleash);
    let secret = unleash.token.clone();
    let between = Between::start(unleash.port, move |_| {
        let body = json!({ "name": "UnauthorizedError", "message": format!("no user has the token {secret}") }).to_string();
        Pass::Say(
            format!(
                "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
        )
    });
    let repeats = place(&unleash, Some(between.url()), &flag, "", "");
    for args in [&["flag", "list"][..], &["flag", "list", "--json"], &["doctor"], &["flag", "set", &named(&flag), "5"]] {
        let said = repeats.run(args);
        assert!(!said.out.contains(&unleash.token) && !said.err.contains(&unleash.token), "{said:?}");
        assert!(said.out.contains("no user has the token (secret)"), "{said:?}");
    }
    let place = place(&unleash, None, &flag, "", "");
    token(&place, "user:of-nobody");
    let one = place.json(0, &["flag", "list"])["flags"][0].clone();
    assert_eq!((&one["state"], &one["on"]), (&json!("unauthorised"), &Value::Null), "{one}");
    let doctor = place.json(0, &["doctor"]);
    assert_eq!(texts(&doctor["backends"], "state"), ["unauthorised"], "{doctor}");
}

#[test]
fn another_hand_shows_in_the_timeline_between_two_polls() {
    let unleash = Unleash::shared();
    let flag = fresh(&unleash);
    let strategy = unleash.gradual(&flag, "5");
    unleash.turn(&flag, "on");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let between = Between::start(unleash.port, move |request| {
        count.fetch_add(usize::from(request.starts_with("GET /api/admin/projects/")), Ordering::SeqCst);
        Pass::On
    });
    let place = place(&unleash, Some(between.url()), &flag, "", "");
    let watching = place.start(&["watch", "--jsonl"]);
    let polls = |more: usize| {
        let wanted = asked.load(Ordering::SeqCst) + more;
        wait_for("further polls", LONG, || (asked.load(Ordering::SeqCst) >= wanted).then_some(()));
    };
    polls(3);
    unleash.set(&flag, &strategy, "20");
    polls(3);
    unleash.turn(&flag, "off");
    polls(3);
    watching.interrupt();
    let said = watching.end().out;
    for line in ["on at 5 % to on at 20 %, changed there by admin", "on at 20 % to off (20 % when on), changed there by admin"] {
        assert!(said.contains(&format!("flag {flag}: {line}")), "{line}: {said}");
    }
}
