//! What does not stay as it was set: another hand, and a version that takes everything step by step and is taken back.

use super::estate::Estate;
use super::{LONG, SIZE, done, load};
use crate::servers::support::wait_for;

#[test]
fn a_share_that_another_hand_takes_back_slips_and_a_move_under_hold_is_an_alarm() {
    let estate = Estate::start(20);
    let _load = load(&estate);
    let room = estate.room(SIZE);
    room.sees("2.5.0 20 %", LONG).press("s").sees("per cent", LONG).press("0 <ret>").sees("RUN shift", LONG).press("<ret>");
    done(&room);
    estate.by_hand("set server be_checkout/v2 weight 20");
    room.sees("SLIPPED", LONG).sees("another hand", LONG).press("<esc>").sees_not("PLAN", LONG);
    room.press("1").sees("failed", LONG).press("h").sees("HOLD", LONG).press("<ret>");
    done(&room);
    room.press("<esc>").sees_not("PLAN", LONG).press("5").sees("HELD by", LONG);
    estate.by_hand("set server be_checkout/v2 weight 90");
    room.sees("moved forward while held", LONG);
    assert_eq!(estate.deeds("shift")[0].last().unwrap(), "slipped");
    room.press("q").exit_code(LONG);
}

#[test]
fn a_version_promoted_to_everything_by_keys_gets_worse_and_is_taken_back_without_a_failed_request() {
    let estate = Estate::start(0);
    let load = load(&estate);
    let room = estate.room(SIZE);
    room.sees("2.4.1", LONG).press("3").sees("steps", LONG);
    for share in [20, 50, 100] {
        room.press("p").sees(&format!("PROMOTE checkout@prod TO {share} %"), LONG).press("<ret>");
        done(&room);
        room.sees("measured", LONG);
        room.press("<esc>").sees_not("PLAN", LONG).sees(&format!("wished {share} %"), LONG);
    }
    assert_eq!((estate.weight("v1"), load.tally().refused), (0, 0));
    estate.v2.set_error_rate(0.3);
    room.sees("WORSE", LONG).press("5").sees("CheckoutErrors", LONG);
    room.press("h").sees("HOLD", LONG).press("<ret>");
    done(&room);
    room.press("<esc>")
        .sees_not("PLAN", LONG)
        .press("s")
        .sees("per cent", LONG)
        .press("0 <ret>")
        .sees("TO 0 %", LONG)
        .types("errors")
        .press("<ret>");
    done(&room);
    room.sees("measured 0.0 % of", LONG);
    let (served, sent) = (estate.v2.served(), load.tally().sent);
    wait_for("two hundred more requests", LONG, || (load.tally().sent > sent + 200).then_some(()));
    assert_eq!(estate.v2.served(), served, "no request reaches it after EFFECTIVE");
    room.press("<esc>").sees_not("PLAN", LONG).sees("alert CheckoutErrors", LONG);
    room.until("the whole story in the timeline", LONG, |screen| {
        ["alert CheckoutErrors", "hold EFFECTIVE", "100 to 0 %", "shift EFFECTIVE", "promote EFFECTIVE"]
            .iter()
            .all(|told| screen.contains(told))
    });
    let tally = load.stop();
    assert_eq!(tally.broken, 0, "{tally:?}");
    room.press("q").exit_code(LONG);
    room.gave_the_terminal_back();
}
