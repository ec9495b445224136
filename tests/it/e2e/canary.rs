//! The on-call engineer's story: a canary gets worse, is held, loses its traffic by a key, and the same screen says so by measurement.

use crate::pty::SOON;

use super::stage::{LONG, Stage, With, sent_once};

#[test]
fn a_bad_canary_loses_its_traffic_by_a_key_and_the_screen_says_so_by_measurement() {
    let stage = Stage::start(With { weights: (80, 20), hold_time: "5s", ..With::default() });
    let load = stage.load();
    let room = stage.room();
    room.sees("checkout", SOON).sees("2.4.1 80", LONG).sees("2.5.0 20 %", LONG);
    stage.new.set_error_rate(0.2);
    room.sees("abnormal", LONG).sees("errors", SOON);
    room.press("3").sees("WORSE", LONG);

    room.press("s").sees("shift checkout@prod", SOON).press("0 <ret>").sees("SHIFT checkout@prod TO 0 %", SOON);
    room.types("errors on the canary").sees("errors on the canary", SOON).press("<ret>");
    room.sees("EFFECTIVE", LONG).until("for the measured sentence", LONG, |screen| {
        screen.contains("measured 0.0 % of") && screen.contains("requests")
    });
    let at_canary = stage.new.served();
    let tally = stage.after(&load, 200);
    assert_eq!(stage.new.served(), at_canary, "the canary is still asked: {tally:?}\n{}", room.screen());
    assert_eq!((stage.weight("v2"), tally.broken), (0, 0), "{tally:?}");

    assert_eq!(stage.kinds("shift")[..4], ["intent", "sending", "accepted", "effective"]);
    room.sees("HELD", LONG);
    stage.intact();
    sent_once(&stage.entries());
    room.press("<esc>").sees_not("PLAN", SOON).press("q");
    assert_eq!(room.exit_code(SOON), 0);
    room.gave_the_terminal_back();
    let tally = load.stop();
    assert_eq!(tally.broken, 0, "{tally:?}");
}
