//! The configuration is read again while the room is open; a wrong file keeps the old one and says why.

use crate::pty::{Home, SOON, Term};

fn config(name: &str, socket: &str, services: &[&str]) -> String {
    let mut text = format!(
        "[room]\nname = \"{name}\"\n[[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = \"{socket}\"\nevery = \"1s\"\n\
         [[environment]]\nname = \"prod\"\n"
    );
    for service in services {
        text.push_str(&format!(
            "[[service]]\nname = \"{service}\"\n[service.deploy.prod]\nstrategy = \"canary\"\n\
             traffic = [{{ backend = \"edge\", pool = \"be_{service}\", stable = [\"v1\"], canary = [\"v2\"] }}]\n"
        ));
    }
    text
}

#[test]
fn a_changed_file_is_taken_over_and_a_wrong_one_is_not() {
    let home = Home::new();
    let file = home.write("gonogo.toml", &config("shop", "/nonexistent/one.sock", &["checkout"]));
    let room = Term::start_in(&home, &["--config", file.to_str().unwrap()], (120, 40), &[]);
    room.sees("gonogo shop", SOON).sees("checkout", SOON);
    home.write("gonogo.toml", &config("bazaar", "/nonexistent/two.sock", &["checkout", "inventory"]));
    room.sees("gonogo bazaar", SOON).sees("inventory", SOON);
    // Wrong: the old one stays, and the glass says so with the line.
    home.write("gonogo.toml", &config("market", "not-absolute", &["checkout"]));
    room.sees("not taken over", SOON).sees("gonogo bazaar", SOON).sees("inventory", SOON);
    home.write("gonogo.toml", &config("market", "/nonexistent/two.sock", &["checkout"]));
    room.sees("gonogo market", SOON).sees_not("inventory", SOON).sees_not("not taken over", SOON);
    room.press("q").exit_code(SOON);
}

#[test]
fn who_is_at_the_keys_is_looked_at_again() {
    let home = Home::new();
    let user = crate::headless::place::os_user();
    let with = |people: &str| format!("{}{people}", config("shop", "/nonexistent/one.sock", &["checkout"]));
    let person = |name: &str, os_user: &str| format!("[[person]]\nname = \"{name}\"\nos_user = \"{os_user}\"\n");
    let file = home.write("gonogo.toml", &with(""));
    let room = Term::start_in(&home, &["--config", file.to_str().unwrap()], (120, 40), &[]);
    room.sees(&format!("{user} unverified"), SOON);
    // Whoever was taken for granted is so no longer when people are named.
    home.write("gonogo.toml", &with(&person("cy", "somebody-else")));
    room.sees("not recognised, no role", SOON);
    home.write("gonogo.toml", &with(&person("ana", user)));
    room.sees("ana", SOON).sees_not("no role", SOON);
    home.write("gonogo.toml", &with(&[person("ana", user), person("cy", user)].concat()));
    room.sees("not recognised, no role", SOON);
    room.press("q").exit_code(SOON);
}

#[test]
fn a_key_that_is_taken_from_a_person_takes_the_person_from_the_room() {
    let home = Home::new();
    let agent = crate::servers::agent::Agent::start();
    let key = agent.add("ana", &["-t", "ed25519"]);
    let user = crate::headless::place::os_user();
    let with = |keys: &str| {
        let people =
            format!("[[person]]\nname = \"ana\"\nos_user = \"{user}\"\nkeys = [{keys}]\n[[person]]\nname = \"cy\"\nos_user = \"{user}\"\n");
        format!("{}{people}", config("shop", "/nonexistent/one.sock", &["checkout"]))
    };
    let file = home.write("gonogo.toml", &with(&format!("\"{key}\"")));
    let socket = agent.socket();
    let room = Term::start_in(&home, &["--config", file.to_str().unwrap()], (120, 40), &[("SSH_AUTH_SOCK", socket.to_str().unwrap())]);
    room.sees("gonogo shop   ana", SOON);
    home.write("gonogo.toml", &with(""));
    room.sees("not recognised, no role", SOON);
    home.write("gonogo.toml", &with(&format!("\"{key} again\"")));
    room.sees("gonogo shop   ana", SOON);
    room.press("q").exit_code(SOON);
}

/// A key that nobody had when the room opened has never signed: giving it to somebody later makes whoever lists it nobody.
#[test]
fn a_key_that_has_not_proven_itself_makes_nobody_of_a_person() {
    use crate::servers::agent::{Fake, bytes_of, make_key};
    let home = Home::new();
    let (one, other) = (make_key(home.path(), "one", &["-t", "ed25519"]), make_key(home.path(), "other", &["-t", "ed25519"]));
    let fake = Fake::listing(vec![bytes_of(&one)], None);
    let user = crate::headless::place::os_user();
    let with = |cy: &str| {
        let people =
            format!("[[person]]\nname = \"ana\"\nos_user = \"{user}\"\nkeys = [\"{other}\"]\n[[person]]\nname = \"cy\"\nkeys = [{cy}]\n");
        format!("{}{people}", config("shop", "/nonexistent/one.sock", &["checkout"]))
    };
    let file = home.write("gonogo.toml", &with(""));
    let socket = fake.socket();
    let room = Term::start_in(&home, &["--config", file.to_str().unwrap()], (120, 40), &[("SSH_AUTH_SOCK", socket.to_str().unwrap())]);
    room.sees("gonogo shop   ana", SOON);
    home.write("gonogo.toml", &with(&format!("\"{one}\"")));
    room.sees("no role", SOON);
    room.press("q").exit_code(SOON);
}
