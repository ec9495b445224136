//! The drills about rollouts that go on by themselves, from their beginning to their end: what happens, and what whoever looks at it reads.

use gonogo::cli::rollout_object as object;
use gonogo::config::scenario::Scenario;
use gonogo::control::world::{TargetView, told};
use gonogo::model::deed::EntryKind;
use gonogo::model::intent::Verb;
use gonogo::model::name::Target;
use gonogo::model::spec::Ending;
use gonogo::ui::render;
use gonogo::ui::screen::Screen;
use gonogo::ui::theme::Theme;

use super::{Room, Stage};

fn stage(story: &str, seed: u64) -> Stage {
    Stage::of(Scenario::named(story).unwrap(), seed)
}

fn target(name: &str) -> Target {
    name.parse().unwrap()
}

fn view(room: &Room, of: &Target) -> TargetView {
    (**room.world().targets.get(of).unwrap()).clone()
}

fn share(room: &Room, of: &Target) -> u8 {
    view(room, of).wished().map_or(0, |share| share.nearest().get())
}

fn next(room: &Room, of: &Target) -> (&'static str, String) {
    room.world().ahead.get(of).map_or(("nothing", String::new()), |ahead| (told(&ahead.next).0, told(&ahead.next).1))
}

/// Runs on second by second until something is so.
async fn until(room: &mut Room, what: &str, within_s: u64, so: impl Fn(&Room) -> bool) {
    for _ in 0..within_s {
        if so(room) {
            return;
        }
        room.seconds(1).await;
    }
    panic!("not within {within_s} s: {what}; {}", room.story());
}

/// The rollout screen in both sizes that an operator at night has, each as one line of words.
fn screens(room: &Room, of: &Target) -> [String; 2] {
    [(80, 24), (120, 40)].map(|size| {
        let text = render::text(room.world(), &room.now(), Screen::Rollout, Some(of), size, &Theme::default());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    })
}

fn all_say(room: &Room, of: &Target, words: &[&str]) {
    for screen in screens(room, of) {
        for wanted in words {
            assert!(screen.contains(wanted), "`{wanted}` is not on the screen: {screen}");
        }
    }
}

#[tokio::test]
async fn slow_leak_is_well_at_every_step_and_goes_back_by_itself_while_it_is_watched() {
    for seed in [1, 7] {
        let checkout = target("checkout@prod");
        let stage = stage("slow-leak", seed);
        let mut room = stage.open().await;
        let mut shares = vec![0];
        let mut worse = Vec::new();
        while share(&room, &checkout) < 100 && room.clock.elapsed().as_secs() < 600 {
            room.seconds(1).await;
            if shares.last() != Some(&share(&room, &checkout)) {
                shares.push(share(&room, &checkout));
            }
            worse.extend(Some(next(&room, &checkout)).filter(|(kind, _)| ["back", "back-at", "person", "holds"].contains(kind)));
        }
        assert_eq!((shares, worse), (vec![0, 20, 50, 100], Vec::new()), "seed {seed}: {}", room.story());
        until(&mut room, "it is watched", 10, |room| next(room, &checkout).0 == "bakes").await;
        all_say(&room, &checkout, &["becomes the stable version, if nothing is", "begun 14:13 by bo", "every signal is within its limit"]);
        let bakes = object(room.world(), &view(&room, &checkout));
        assert_eq!((&bakes["next"]["kind"], &bakes["automatic"]), (&"bakes".into(), &true.into()));
        let ends = bakes["next"]["at"].as_str().unwrap().to_owned();
        until(&mut room, "the leak is seen", 90, |room| next(room, &checkout).0 == "back-at").await;
        all_say(&room, &checkout, &["BACK TO 2.4.1 BY ITSELF, by rule limit", "errors WORSE"]);
        until(&mut room, "it went back", 30, |room| view(room, &checkout).state.last.is_some()).await;
        let last = view(&room, &checkout).state.last.clone().unwrap();
        assert_eq!((last.how, share(&room, &checkout)), (Ending::WentBack, 0), "seed {seed}: {}", room.story());
        assert!(gonogo::model::time::rfc3339(&last.at) < ends, "within the time in which it is watched");
        all_say(&room, &checkout, &["2.5.0 went back by itself at", "no rollout under way", "all traffic on 2.4.1"]);
        let json = object(room.world(), &view(&room, &checkout));
        assert_eq!(
            (&json["last"]["how"], &json["last"]["to"], &json["next"]),
            (&"went-back".into(), &"2.5.0".into(), &serde_json::Value::Null)
        );
        // The evidence is on record before anything was sent, and nothing goes back twice.
        let back = room.world().newest_deeds().into_iter().find(|deed| deed.verb == Verb::Abort).unwrap().clone();
        assert!(back.requester.starts_with("rule of plan ") && back.requester.ends_with(", bo"), "{}", back.requester);
        assert!(back.reason.as_str().starts_with("limit: errors WORSE: "), "{}", back.reason);
        assert_eq!(room.kinds(back.plan).await.get(..3), Some(&["intent", "sending", "accepted"][..]));
        room.seconds(60).await;
        let entries = room.entries().await;
        let backs = entries.iter().filter(|entry| entry.kind == EntryKind::Intent && entry.verb.as_deref() == Some("abort"));
        assert_eq!((backs.count(), share(&room, &checkout)), (1, 0), "{}", room.story());
    }
}

#[tokio::test]
async fn two_teams_wait_for_the_one_whose_dependency_is_late_and_go_on_together_once_it_is_there() {
    let (checkout, shipping) = (target("checkout@prod"), target("shipping@prod"));
    let stage = stage("two-teams", 1);
    let mut room = stage.open().await;
    room.seconds(60).await;
    assert_eq!((share(&room, &checkout), share(&room, &shipping)), (0, 0), "{}", room.story());
    let late = "would go to 20 %, but check mail-3-4 fails: GET http://mail.prod/version answered 200 with 3.3.0, not with 3.4.0";
    assert_eq!(next(&room, &shipping), ("holds", late.to_owned()));
    all_say(&room, &shipping, &[late]);
    let waits = format!(
        "ready for 20 %, and shipping@prod is not so far ({late}; see to that, or send it on with `gonogo promote shipping@prod`): set \
         parcel-mails moves together"
    );
    assert_eq!(next(&room, &checkout), ("together", waits.clone()));
    all_say(&room, &checkout, &[&waits]);
    let [of_checkout, of_shipping] = [&checkout, &shipping].map(|of| object(room.world(), &view(&room, of)));
    assert_eq!((&of_checkout["next"]["kind"], &of_checkout["next"]["words"]), (&"together".into(), &waits.into()));
    assert_eq!(of_checkout["set"], serde_json::json!({ "name": "parcel-mails", "with": ["shipping@prod"], "on_failure": "return" }));
    assert_eq!((&of_shipping["checks"][0]["name"], &of_shipping["checks"][0]["held"]), (&"mail-3-4".into(), &"fails".into()));
    // The platform team deploys mail 3.4.0 at 100 s; the check is asked again within 15 s.
    until(&mut room, "both go on", 80, |room| (share(room, &checkout), share(room, &shipping)) == (20, 20)).await;
    let at = room.clock.elapsed().as_secs();
    assert!((105..135).contains(&at), "went on at {at} s");
    let first = room.world().newest_deeds().into_iter().find(|deed| deed.verb == Verb::Shift && deed.target == shipping).unwrap().clone();
    assert!(
        first.reason.as_str().contains("checks held: mail-3-4 (GET http://mail.prod/version answered 200 with 3.4.0)"),
        "{}",
        first.reason
    );
    let over = |room: &Room| [&checkout, &shipping].iter().all(|of| view(room, of).state.last.is_some());
    until(&mut room, "both are over", 600, over).await;
    let how = [&checkout, &shipping].map(|of| view(&room, of).state.last.map(|last| last.how));
    assert_eq!(how, [Some(Ending::Promoted), Some(Ending::Promoted)], "{}", room.story());
    all_say(&room, &checkout, &["2.5.0 became the stable version at"]);
    all_say(&room, &shipping, &["2.1.0 became the stable version at"]);
}
