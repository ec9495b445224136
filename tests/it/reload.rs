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
