//! ServiceNow on our server: a change for every deed, made once whatever is lost, led through its states and closed.

use serde_json::Value;

use crate::headless::place::{Pair, Place, Room, os_user, texts};
use crate::servers::servicenow::ServiceNow;

struct Shop {
    place: Place,
    desk: ServiceNow,
    _pair: std::sync::Arc<Pair>,
}

impl Shop {
    fn with(environment: &str, keys: &str) -> Self {
        let (pair, pool, desk) = (Pair::shared(), Pair::pool(), ServiceNow::start());
        let place = Place::bare();
        let secret = place.write("secret", "s3cr3t\n");
        std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let more = format!(
            "[[backend]]\nname = \"itsm\"\nkind = \"servicenow\"\nurl = \"{}\"\nuser = \"gonogo\"\npassword = {{ file = \"{}\" }}\n\
             deadline = \"2s\"\nfields = {{ assignment_group = \"release\", cmdb_ci = \"$service\" }}\n{keys}",
            desk.url(),
            secret.display()
        );
        let environment = format!("hold_time = \"1s\"\neffective_within = \"20s\"\n{environment}");
        place.configure(&Room { environment, more, ..pair.room(&pool) }.text());
        Self { place, desk, _pair: pair }
    }

    fn changes(&self) -> Value {
        self.place.json(0, &["outbox", "list"])["changes"].clone()
    }
}

#[test]
fn a_deed_has_a_change_that_is_led_through_its_states_and_closed_with_its_outcome() {
    let shop = Shop::with("", "");
    let said = shop.place.run(&["shift", "checkout@prod", "20", "--wait", "held"]).exits(0);
    assert!(!said.err.contains("not delivered"), "{said:?}");
    let records = shop.desk.records();
    assert_eq!(records.len(), 1, "{records:?}");
    let record = &records[0];
    assert_eq!((record.kind.as_str(), record.fields["cmdb_ci"].as_str()), ("normal", "checkout"));
    assert!(record.fields["short_description"].starts_with("shift checkout@prod to 20 % (gonogo "), "{record:?}");
    assert_eq!(record.states, ["-4", "-3", "-2", "-1", "0", "3"]);
    assert_eq!(record.fields["close_code"], "successful");
    assert!(record.notes.iter().any(|note| note.starts_with("intent by os:")), "{record:?}");
    let changes = shop.changes();
    assert_eq!((texts(&changes, "number"), texts(&changes, "state")), (vec![record.number.clone()], vec!["Closed".to_owned()]));
    // Turned back while it was watched: closed as what it was.
    shop.place.run(&["shift", "checkout@prod", "50"]).exits(0);
    shop.place.run(&["rollback", "checkout@prod", "--wait", "held"]).exits(0);
    let codes: Vec<_> = shop.desk.records().iter().map(|record| record.fields["close_code"].clone()).collect();
    assert_eq!(codes, ["successful", "unsuccessful", "successful"]);
}

#[test]
fn what_was_made_although_the_answer_was_lost_is_found_and_never_made_twice() {
    let shop = Shop::with("", "");
    shop.desk.loses(1);
    let said = shop.place.run(&["shift", "checkout@prod", "20"]).exits(0);
    assert_eq!(shop.desk.records().len(), 1, "{said:?}");
    shop.place.run(&["outbox", "deliver", "--within", "20s"]).exits(0);
    assert_eq!(shop.desk.records().len(), 1, "{:?}", shop.desk.requests());
    let posts = shop.desk.requests().iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(posts, 1, "{:?}", shop.desk.requests());
    assert_eq!(texts(&shop.changes(), "number"), [shop.desk.records()[0].number.clone()]);
}

#[test]
fn a_desk_that_is_down_stops_no_deed_and_is_told_later() {
    let shop = Shop::with("", "");
    shop.desk.down(true);
    let said = shop.place.run(&["shift", "checkout@prod", "20"]).exits(0);
    assert!(said.err.contains("for `itsm` not delivered yet") && said.err.contains("503"), "{said:?}");
    shop.desk.down(false);
    shop.place.run(&["outbox", "deliver", "--within", "30s"]).exits(0);
    assert_eq!(shop.desk.records().len(), 1);
}

#[test]
fn a_plan_that_waits_has_a_change_and_one_that_is_rejected_has_it_canceled() {
    let people = format!(
        "[[person]]\nname = \"ana\"\nos_user = \"{}\"\nroles = [{{ role = \"captain\" }}]\n[[person]]\nname = \"cy\"\nos_user = \"nobody-else\"\nroles = [{{ role = \"captain\" }}]\n",
        os_user()
    );
    let shop = Shop::with("protection = { approvals = 1 }", &people);
    shop.place.run(&["shift", "checkout@prod", "20"]).exits(4);
    let record = shop.desk.records().remove(0);
    assert_eq!((record.states.len(), record.fields["state"].as_str()), (0, "-5"));
    let status = shop.place.json(0, &["status"]);
    assert_eq!(status["waiting"][0]["changes"][0]["number"], record.number);
    let plan = status["waiting"][0]["plan"].as_str().unwrap().to_owned();
    let screen = shop.place.run(&["render", "changes", "--size", "120x40"]).exits(0);
    assert!(screen.out.contains(&record.number), "{}", screen.out);
    shop.place.run(&["withdraw", &plan]).exits(0);
    let record = shop.desk.records().remove(0);
    assert_eq!(record.states, ["4"]);
}

#[test]
fn what_the_desk_has_not_approved_is_set_aside_with_the_reason_and_goes_on_when_it_has() {
    let shop = Shop::with("", "");
    shop.desk.approves(false);
    shop.place.run(&["shift", "checkout@prod", "20"]).exits(0);
    shop.place.run(&["outbox", "deliver", "--within", "50s"]).exits(0);
    let list = shop.place.json(0, &["outbox", "list"]);
    let why = list["receivers"][0]["parked"][0]["why"].as_str().unwrap().to_owned();
    assert!(why.contains("is in Authorize there and may not go on to Implement"), "{list}");
    shop.desk.approves(true);
    shop.place.run(&["outbox", "retry", "itsm"]).exits(0);
    shop.place.run(&["outbox", "deliver", "--within", "20s"]).exits(0);
    assert_eq!(shop.desk.records()[0].states[..4], ["-4", "-3", "-2", "-1"]);
}

#[test]
fn a_ticket_that_the_plan_names_is_told_what_happens_and_no_change_is_made() {
    let shop = Shop::with("require_ticket = true", "");
    let number = shop.desk.made_by_hand();
    let denied = shop.place.json(3, &["shift", "checkout@prod", "20"]);
    assert_eq!(texts(&denied["reasons"], "rule"), ["ticket"]);
    shop.place.run(&["shift", "checkout@prod", "20", "--ticket", &number]).exits(0);
    let records = shop.desk.records();
    assert_eq!(records.len(), 1, "{records:?}");
    assert!(records[0].states.is_empty() && records[0].notes.iter().any(|note| note.starts_with("intent by")), "{records:?}");
    // The way back needs none.
    shop.place.run(&["abort", "checkout@prod"]).exits(0);
}
