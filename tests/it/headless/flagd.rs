//! Flags of a flagd through the binary: in force by OFREP, changed in the file that it watches.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::place::Place;
use crate::servers::flagd::Flagd;
use crate::servers::support::wait_for;

/// A flagd, its file, and a place over both.
struct Lab {
    flagd: Flagd,
    file: PathBuf,
    place: Place,
}

fn flags(state: &str, targeting: &Value) -> Value {
    json!({
        "$schema": "https://flagd.dev/schema/v0/flags.json",
        "flags": {
            "theme": { "state": "ENABLED", "variants": { "dark": "d", "light": "l" }, "defaultVariant": "dark" },
            "new-checkout": { "state": state, "variants": { "on": true, "off": false }, "defaultVariant": "off", "targeting": targeting },
        }
    })
}

fn lab(state: &str, targeting: &Value, hold: &str) -> Lab {
    let place = Place::bare();
    let file = place.write("flags/flags.json", &flags(state, targeting).to_string());
    let flagd = Flagd::start(&file);
    place.configure(&format!(
        "[[backend]]\nname = \"local\"\nkind = \"flagd\"\nurl = \"{}\"\nfile = {:?}\nevery = \"200ms\"\nstale_after = \"20s\"\nlookup_within = \"2s\"\n\
         [[environment]]\nname = \"prod\"\nhold_time = \"{hold}\"\neffective_within = \"3s\"\n[[service]]\nname = \"checkout\"\n[service.deploy.prod]\n\
         strategy = \"canary\"\nflags = [{{ backend = \"local\", name = \"new-checkout\" }}]\n",
        flagd.url(),
        file.display().to_string()
    ));
    Lab { flagd, file, place }
}

impl Lab {
    fn now(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(&self.file).unwrap()).unwrap()
    }
}

const NAME: &str = "checkout/new-checkout@prod";

#[test]
fn a_flag_is_set_in_the_file_and_is_effective_when_flagd_shows_it() {
    let lab = lab("DISABLED", &json!({ "fractional": [["on", 5], ["off", 95]] }), "1s");
    let one = lab.place.json(0, &["flag", "show", NAME]);
    assert_eq!((&one["on"], &one["percent"], &one["state"]), (&json!(false), &json!(5), &json!("fresh")), "{one}");
    lab.place.run(&["flag", "set", NAME, "40", "--wait", "held"]).exits(0);
    let now = lab.now();
    assert_eq!(now["flags"]["new-checkout"]["targeting"], json!({ "fractional": [["on", 40], ["off", 60]] }));
    assert_eq!(
        (&now["flags"]["new-checkout"]["state"], &now["flags"]["theme"]),
        (&json!("ENABLED"), &flags("", &Value::Null)["flags"]["theme"])
    );
    lab.place.run(&["flag", "set", NAME, "off"]).exits(0);
    assert_eq!(lab.now()["flags"]["new-checkout"]["state"], "DISABLED");
    lab.place.run(&["flag", "set", NAME, "on"]).exits(0);
    assert_eq!(lab.now()["flags"]["new-checkout"]["targeting"], json!({ "fractional": [["on", 40], ["off", 60]] }));
}

#[test]
fn what_flagd_does_not_take_in_is_not_called_done() {
    let lab = lab("ENABLED", &json!({ "fractional": [["on", 5], ["off", 95]] }), "1s");
    lab.place.run(&["flag", "list"]).exits(0);
    lab.flagd.blind(true);
    let said = lab.place.run(&["flag", "set", NAME, "40"]).exits(12);
    assert!(said.out.contains("accepted, but not seen within 3 s"), "{said:?}");
    let one = lab.place.json(0, &["flag", "show", NAME]);
    assert_eq!((&one["on"], one["missing"].as_str()), (&Value::Null, Some("flagd has not taken in what its file says")), "{one}");
    lab.flagd.blind(false);
    let one = lab.place.json(0, &["flag", "show", NAME]);
    assert_eq!((&one["on"], &one["percent"]), (&json!(true), &json!(40)), "{one}");
}

#[test]
fn a_rule_of_its_own_and_another_hand_are_left_alone() {
    let rule = json!({ "if": [{ "==": [{ "var": "country" }, "DE"] }, "on", "off"] });
    let lab = lab("ENABLED", &rule, "30s");
    let said = lab.place.run(&["flag", "set", NAME, "40"]).exits(3);
    assert!(said.out.contains("its targeting is a rule of its own"), "{said:?}");
    // Its state is set all the same, and its rule stays.
    lab.place.run(&["flag", "set", NAME, "off"]).exits(0);
    assert_eq!(lab.now()["flags"]["new-checkout"]["targeting"], rule);
    let plan = lab.place.json(0, &["plan", "flag", "checkout@prod", "new-checkout", "on"]);
    let mut theirs = lab.now();
    theirs["flags"]["new-checkout"]["targeting"] = json!({ "fractional": [["on", 50], ["off", 50]] });
    std::fs::write(&lab.file, theirs.to_string()).unwrap();
    lab.place.run(&["execute", plan["plan"].as_str().unwrap()]).exits(5);
    assert_eq!(lab.now(), theirs);
    // While a deed is watched, another hand shows as a slip.
    let watching = lab.place.start(&["flag", "set", NAME, "20", "--wait", "held"]);
    wait_for("it to be effective", Duration::from_secs(30), || (lab.place.newest().as_deref() == Some("effective")).then_some(()));
    std::fs::write(&lab.file, theirs.to_string()).unwrap();
    let said = watching.end().exits(1);
    assert!(said.out.contains("slipped back: new-checkout is off (50 % when on), changed by another hand"), "{said:?}");
}
