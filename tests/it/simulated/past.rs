//! The past: folded to any moment it is the world that was live then, on every screen, byte for byte; and no recording breaks its reader.

use std::io::Write as _;
use std::time::Duration;

use chrono::TimeDelta;
use gonogo::control::record::{Entry, Player, Recorder, Told};
use gonogo::control::replay::export;
use gonogo::control::replay::fold::Fold;
use gonogo::control::replay::recording::Recording;
use gonogo::control::replay::reel::Reel as _;
use gonogo::control::replay::traveller::{Ask, Shown, Traveller, Way};
use gonogo::control::replay::when::When;
use gonogo::control::world::World;
use gonogo::model::time::Moment;
use gonogo::model::timetable::{Scope, Stamp, Times, Train, Window};
use gonogo::ui::render;
use gonogo::ui::screen::Screen;
use gonogo::ui::theme::Theme;

use super::recording::{play, story};

/// Every screen of a world of now, or of what was one.
fn screens(world: &World, now: &Moment) -> Vec<String> {
    let world = World { scrub: None, ..world.clone() };
    let target = "checkout@prod".parse().unwrap();
    let draw = |screen, size| render::text(&world, now, screen, Some(&target), size, &Theme::standard());
    Screen::ALL.into_iter().flat_map(|screen| [(80, 24), (200, 60)].map(|size| draw(screen, size))).collect()
}

/// A recording of a story, and every screen as it was every ten seconds.
async fn recorded(scenario: &str, seed: u64, seconds: u64) -> (tempfile::NamedTempFile, Vec<(Moment, Vec<String>)>) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut rehearsal = story(scenario, seed).await;
    let mut recorder = Recorder::default();
    let mut live = Vec::new();
    let mut keep = |now: &Moment, told: Told| {
        recorder.line(now, &told).into_iter().for_each(|line| writeln!(file, "{}", line.json.text().unwrap()).unwrap());
    };
    play(&mut rehearsal, seed, 60, &mut keep).await;
    for upto in (60..=seconds).step_by(10) {
        rehearsal.run_until(Duration::from_secs(upto), &mut keep).await;
        live.push((rehearsal.now(), screens(rehearsal.room().world(), &rehearsal.now())));
    }
    // Something follows what is looked at.
    rehearsal.run_until(Duration::from_secs(seconds + 5), &mut keep).await;
    (file, live)
}

fn opened(file: &tempfile::NamedTempFile) -> Traveller {
    Traveller::open(Box::new(Recording::open(file.path()).unwrap()), false).unwrap()
}

fn same(shown: &Shown, live: &(Moment, Vec<String>), of: &str) {
    assert_eq!(shown.now, live.0, "{of}");
    for (then, now) in live.1.iter().zip(screens(&shown.world, &shown.now)) {
        assert!(*then == now, "{of}: at {} was\n{then}\nis shown\n{now}", live.0.wall);
    }
}

#[tokio::test]
async fn the_fold_to_a_moment_is_the_world_that_was_live_then() {
    for (scenario, seed) in [("bad-canary", 1), ("bad-canary", 7), ("broken-backend", 5)] {
        let (file, live) = recorded(scenario, seed, 150).await;
        let mut traveller = opened(&file);
        // In no order: wherever one came from, the same is shown.
        for place in [3, 9, 0, 4, 4, 8] {
            let (at, _) = &live[place];
            traveller.on(Ask::To(When::At(at.wall))).unwrap();
            same(&traveller.shown(), &live[place], &format!("{scenario} {seed}"));
        }
    }
}

#[tokio::test]
async fn between_two_lines_time_goes_on_by_itself() {
    let (file, _) = recorded("bad-canary", 1, 60).await;
    let text = std::fs::read_to_string(file.path()).unwrap();
    let (at, Entry::Opened(mut opened)) = Player::default().read(text.lines().next().unwrap()).unwrap() else { panic!("not opened") };
    let departs = at.wall + TimeDelta::minutes(20);
    let timetable = &mut std::sync::Arc::make_mut(&mut opened.catalog).timetable;
    timetable.windows.push(Window {
        name: "evening".to_owned(),
        scope: Scope { environments: vec!["prod".parse().unwrap()], ..Scope::default() },
        timezone: "UTC".to_owned(),
        times: Times::Once { begin: Stamp::Utc(departs), end: Stamp::Utc(departs + TimeDelta::minutes(40)) },
    });
    timetable.trains.push(Train {
        name: "express".to_owned(),
        environment: "prod".parse().unwrap(),
        services: vec!["checkout".parse().unwrap()],
        window: "evening".to_owned(),
        departs: None,
        cut_off: Duration::from_mins(10),
    });
    let line = Recorder::default().line(&at, &Told::Opened(opened)).unwrap();
    let fold = Fold::begin(1, &line.json.text().unwrap()).unwrap();
    let has_left = |minutes| fold.world_at(&at.plus(Duration::from_mins(minutes))).diary.trains[0].departed;
    assert_eq!([0, 19, 21, 19].map(has_left), [false, false, true, false], "nothing is told but the room's opening");
}

#[tokio::test]
async fn steps_back_lead_where_steps_on_came_from_and_jumps_stop_at_deeds_and_alerts() {
    let (file, live) = recorded("bad-canary", 1, 100).await;
    let mut traveller = opened(&file);
    traveller.on(Ask::To(When::At(live[0].0.wall))).unwrap();
    let mut seen = Vec::new();
    for _ in 0..12 {
        traveller.on(Ask::Step(Way::On)).unwrap();
        let shown = traveller.shown();
        seen.push((shown.now, screens(&shown.world, &shown.now)));
    }
    assert!(seen.windows(2).all(|pair| pair[0].0.boot <= pair[1].0.boot), "steps on go on");
    for place in seen.iter().rev().skip(1) {
        traveller.on(Ask::Step(Way::Back)).unwrap();
        same(&traveller.shown(), place, "a step back");
    }
    traveller.on(Ask::Oldest).unwrap();
    traveller.on(Ask::Step(Way::Back)).unwrap();
    let says = |shown: &Shown| shown.world.scrub.as_ref().unwrap().says.to_string();
    assert_eq!(says(&traveller.shown()), "this is the oldest event that is kept");
    let mut deeds = Vec::new();
    loop {
        traveller.on(Ask::Jump(Way::On)).unwrap();
        let said = says(&traveller.shown());
        if said == "no later deed or alert is kept" {
            break;
        }
        deeds.push(said);
    }
    assert!(deeds.iter().any(|said| said.starts_with("shift EFFECTIVE")), "{deeds:?}");
    traveller.on(Ask::Newest).unwrap();
    let mut back = Vec::new();
    while back.last().is_none_or(|said: &String| said != "no earlier deed or alert is kept") {
        traveller.on(Ask::Jump(Way::Back)).unwrap();
        back.push(says(&traveller.shown()));
    }
    back.pop();
    back.reverse();
    assert!(back == deeds, "the same stops both ways: {back:?} and {deeds:?}");
}

#[tokio::test]
async fn played_it_shows_what_was_live_and_stops_at_the_end() {
    let (file, live) = recorded("bad-canary", 1, 100).await;
    let mut traveller = opened(&file);
    traveller.on(Ask::PlayFrom(When::At(live[0].0.wall), 10)).unwrap();
    for place in &live[1..live.len() - 1] {
        traveller.tick(Duration::from_secs(1)).unwrap();
        same(&traveller.shown(), place, "played");
    }
    for _ in 0..5 {
        traveller.tick(Duration::from_secs(1)).unwrap();
    }
    let shown = traveller.shown();
    let scrub = shown.world.scrub.as_ref().unwrap();
    assert!(!scrub.plays && scrub.says.as_str() == "this is the newest event that is kept", "{scrub:?}");
}

#[tokio::test]
async fn reading_begins_where_everything_is_whole_again_and_an_export_has_no_log() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut rehearsal = story("bad-canary", 2).await;
    let mut recorder = Recorder::whole_every(Duration::from_secs(30));
    let mut keep = |now: &Moment, told: Told| {
        let lines = recorder.again(now).into_iter().chain(recorder.line(now, &told));
        lines.for_each(|line| writeln!(file, "{}", line.json.text().unwrap()).unwrap());
    };
    play(&mut rehearsal, 2, 120, &mut keep).await;
    let live = (rehearsal.now(), screens(rehearsal.room().world(), &rehearsal.now()));
    let live_world = rehearsal.room().world().clone();
    rehearsal.run_until(Duration::from_secs(125), &mut keep).await;
    let mut recording = Recording::open(file.path()).unwrap();
    let stretch = recording.stretches().unwrap().remove(0);
    assert!(stretch.beginnings.len() >= 3 && stretch.beginnings[1].again, "{stretch:?}");
    let mut whole = opened(&file);
    whole.on(Ask::To(When::At(live.0.wall))).unwrap();
    same(&whole.shown(), &live, "over all beginnings");
    // From the middle on: what one looks at is there, with what was told before.
    let from = live.0.wall - chrono::TimeDelta::seconds(40);
    let mut part = tempfile::NamedTempFile::new().unwrap();
    let mut write = |line: &str| writeln!(part, "{line}").map_err(|error| error.to_string());
    let written = export::export(&mut recording, (Some(from), None), &mut write).unwrap();
    assert!(written.lines < u64::try_from(stretch.last).unwrap() / 2, "{written:?}");
    let mut later = opened(&part);
    later.on(Ask::To(When::At(live.0.wall))).unwrap();
    let (shown, world) = (later.shown(), live_world);
    let since = shown.world.scrub.as_ref().unwrap().known_since.unwrap();
    assert!(world.timeline.iter().any(|line| line.at > since), "something was told behind that beginning");
    assert_eq!(shown.world.timeline, world.timeline);
    for (plan, deed) in &world.deeds {
        assert_eq!(shown.world.deeds.get(plan).map(|deed| deed.state), Some(deed.state), "{plan}");
    }
    for (target, view) in &world.targets {
        assert_eq!(shown.world.target(target).unwrap().traffic, view.traffic, "{target}");
        assert_eq!(shown.world.target(target).unwrap().state, view.state, "{target}");
    }
}

fn refused(text: &[u8]) -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    Recording::open(file.path()).unwrap_err().to_string()
}

#[tokio::test]
async fn what_is_no_recording_is_refused_with_its_line_and_no_change_of_one_breaks_its_reader() {
    let (file, _) = recorded("bad-canary", 1, 70).await;
    let text = std::fs::read_to_string(file.path()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let with = |place: usize, line: &str| {
        let mut lines = lines.clone();
        lines[place] = line;
        refused(lines.join("\n").as_bytes())
    };
    assert!(refused(b"").starts_with("line 1: nothing is in it"));
    assert!(with(4, "{\"schema\":2,\"event\":\"new\"}").contains("line 5: failed to read a line of the recording: it has schema 2"));
    assert!(with(4, "{\"schema\":1,").starts_with("line 5: "));
    assert!(with(0, lines[1]).contains("line 1: "));
    assert!(refused(&text.as_bytes()[..text.len() - 20]).contains("it is cut off"));
    assert!(refused(&[text.as_bytes(), b"\xff\xfe\n"].concat()).contains("it is no UTF-8"));
    let later = lines.iter().rposition(|line| !line.contains("\"happening\"")).unwrap();
    assert!(refused([lines[0], lines[1], lines[later], lines[2]].join("\n").as_bytes()).contains("line "), "a line that builds on another");
    let back = lines[1].replacen("\"boot\":1", "\"boot\":0", 1);
    assert!(with(later, &back).contains("line "), "its clock goes back");
    // Numbers and words of lines are changed one after the other: it is refused or shown, and nothing breaks. Most are refused.
    let (mut read, mut tried) = (0, 0);
    let lines = &lines[..lines.len().min(200)];
    for (n, line) in lines.iter().enumerate().take(160).step_by(13) {
        for (from, to) in [
            (":1", ":-9223372036854775808"),
            (":2", ":18446744073709551615"),
            (":0", ":1e308"),
            ("\"T", "\"9"),
            ("[", "[[],"),
            ("true", "null"),
        ] {
            let changed = line.replacen(from, to, 1 + n % 5);
            if changed == **line {
                continue;
            }
            let mut lines = lines.to_vec();
            lines[n] = &changed;
            tried += 1;
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(lines.join("\n").as_bytes()).unwrap();
            let Ok(recording) = Recording::open(file.path()) else { continue };
            read += 1;
            let Ok(mut traveller) = Traveller::open(Box::new(recording), false) else { continue };
            let shown = traveller.shown();
            screens(&shown.world, &shown.now);
        }
    }
    assert!(tried > 20 && read >= 2, "of {tried} {read} can be read");
}
