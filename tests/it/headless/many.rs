//! One verb on many targets by the command line: `hold '*@prod'` and back.

use gonogo::config::settings::Address;

use super::place::{Pair, Place};

fn place(pair: &Pair, pool: &str) -> Place {
    let Address::Unix(socket) = pair.haproxy.unix() else { panic!("no UNIX socket") };
    let service = |name: &str, team: &str, environments: &[&str]| {
        let mut text = format!("[[service]]\nname = \"{name}\"\nteam = \"{team}\"\n");
        for environment in environments {
            text += &format!(
                "[service.deploy.{environment}]\nstrategy = \"canary\"\nsteps = [20, 100]\n\
                 traffic = [{{ backend = \"edge\", pool = \"{pool}\", stable = [\"v1\"], canary = [\"v2\"] }}]\n"
            );
        }
        text
    };
    Place::with(&format!(
        "[[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = \"{}\"\nevery = \"200ms\"\n\
         [[environment]]\nname = \"staging\"\norder = 1\n[[environment]]\nname = \"prod\"\norder = 2\nhold_time = \"1s\"\n\
         protection = {{ typed_confirmation = true }}\n{}{}{}",
        socket.display(),
        service("cart", "shop", &["staging", "prod"]),
        service("checkout", "payments", &["prod"]),
        service("ledger", "payments", &["prod"]),
    ))
}

#[test]
fn the_line_is_stopped_and_let_go_by_one_expression() {
    let pair = Pair::shared();
    let place = place(&pair, &Pair::pool());
    // A preview does nothing.
    let dry = place.json(0, &["hold", "*@prod", "--dry-run"]);
    let names = |of: &serde_json::Value, key: &str| -> Vec<String> {
        of[key].as_array().unwrap().iter().map(|one| one["target"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!((dry["selection"].as_str(), dry["plans"].as_array().map(Vec::len)), (Some("*@prod"), Some(3)), "{dry}");
    assert_eq!(place.json(0, &["hold", "team:payments@*", "--dry-run"])["plans"].as_array().map(Vec::len), Some(2));
    place.run(&["hold", "checkout@prod", "--reason", "mine"]).exits(0);
    let held = place.json(0, &["hold", "*@prod", "--reason", "stop the line"]);
    assert_eq!(names(&held, "deeds"), ["cart@prod", "ledger@prod"], "{held}");
    assert_eq!(names(&held, "left_out"), ["checkout@prod"], "{held}");
    assert!(held["left_out"][0]["why"].as_str().unwrap().starts_with("held already by"), "{held}");
    // Everything of it is so already: nothing is recorded, and that is no failure.
    let again = place.json(0, &["hold", "*@prod"]);
    assert_eq!((names(&again, "deeds").len(), names(&again, "left_out").len()), (0, 3), "{again}");
    // What is held is not moved; what the expression did not mean is not held.
    place.run(&["shift", "ledger@prod", "20", "--yes"]).exits(3);
    assert!(place.run(&["resume", "cart@staging"]).exits(3).out.contains("DENIED"));
    // It goes forward: its name is typed once for all, and without a terminal stands --yes.
    let untyped = place.run(&["resume", "*@prod"]).exits(2);
    assert!(untyped.err.contains("*@prod asks for its name to be typed"), "{}", untyped.err);
    let free = place.json(0, &["resume", "*@prod", "--yes"]);
    assert_eq!(names(&free, "deeds").len(), 3, "{free}");
}

#[test]
fn what_takes_one_target_or_selects_none_is_refused_before_anything_is_planned() {
    let pair = Pair::shared();
    let place = place(&pair, &Pair::pool());
    for typed in [&["promote", "*@prod"][..], &["shift", "*@prod", "20"], &["start", "*@prod"], &["rollout", "promote", "*@prod"]] {
        let said = place.run(typed).exits(2);
        assert!(said.err.contains("takes one target, not *@prod"), "{typed:?}: {}", said.err);
    }
    let none = place.run(&["hold", "*@nowhere"]).exits(10);
    assert!(none.err.contains("*@nowhere selects no target"), "{}", none.err);
    place.run(&["hold", "*"]).exits(2);
    place.run(&["break-glass", "hold", "*@prod", "--reason", "the whole line burns"]).exits(10);
    let nothing = place.run(&["abort", "*@prod"]).exits(0);
    assert!(nothing.out.contains("left out cart@prod: no rollout is under way"), "{}", nothing.out);
}
