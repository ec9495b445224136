//! Tests of silences: they are shown with their end, counted, asked for by key, and stop no automatic way back.

use std::sync::Arc;

use super::*;
use crate::control::silences;
use crate::control::world::{Source, SourceFact};
use crate::model::alert::{AlertReading, Silence};
use crate::model::capability::Capability;
use crate::model::catalog::AlertMatch;
use crate::model::silence::{comment, matcher};
use crate::model::text::Text;

/// The shop whose one alert is silenced until 15:00, with this comment.
fn silenced(words: &str) -> World {
    let mut world = fixture::world();
    let mut view = (**world.target(&fixture::checkout()).unwrap()).clone();
    let mut alert = (*view.alerts[0]).clone();
    alert.silenced_by = vec![Text::clean("s-1")];
    view.alerts = vec![Arc::new(alert)];
    world.targets.insert_mut(view.target.clone(), Arc::new(view));
    let silence = Silence {
        id: Text::clean("s-1"),
        matchers: vec![matcher("alertname", "CheckoutErrors"), matcher("service", "checkout")],
        by: Text::clean("ana"),
        comment: Text::clean(words),
        ends: "2026-11-20T15:00:00Z".parse().unwrap(),
    };
    matched(&mut world, vec![silence]);
    world
}

/// Alerts of checkout come from `alerts`, which can silence and tells of these.
fn matched(world: &mut World, silences: Vec<Silence>) {
    let mut catalog = (*world.catalog).clone();
    let labels = [("service".to_owned(), "checkout".to_owned())].into();
    catalog.services.get_mut(&fixture::checkout().service).unwrap().alerts = Some(AlertMatch { backend: fixture::name("alerts"), labels });
    world.catalog = Arc::new(catalog);
    let alerts = world.target(&fixture::checkout()).unwrap().alerts.iter().map(|alert| (**alert).clone()).collect();
    let reading = AlertReading { alerts, groups: Vec::new(), silences, backend_clock: None };
    let source: &Source = world.sources.get(&fixture::name("alerts")).unwrap();
    let mut source = source.clone();
    if let SourceFact::Alerts(fact) = &mut source.fact {
        fact.value = Some(Arc::new(reading));
    }
    source.capabilities = &[Capability::ReadAlerts, Capability::Silence];
    world.sources.insert(fixture::name("alerts"), Arc::new(source));
}

#[test]
fn a_silenced_alert_is_shown_with_its_end_and_counted_on_the_board() {
    let mut desk = at(silenced(&comment("the fix is under way", "7c7c-0")), Theme::standard(), (120, 40));
    desk.sees("1 shelved");
    desk.press("5").sees("SILENCED until 15:00 (56:38) by ana (the fix is under way)");
}

#[test]
fn a_deed_s_silence_stops_no_way_back_and_another_hand_s_does() {
    let counts = |words: &str| {
        let world = silenced(words);
        let alert = world.target(&fixture::checkout()).unwrap().alerts[0].clone();
        silences::counts(&world, &fixture::name("alerts"), &alert)
    };
    assert!(counts(&comment("the fix is under way", "7c7c-0")), "who silences by a deed disarms nothing");
    assert!(!counts("maintenance of the mail host"), "the alerting system's own word is heeded");
    // A silence that is named, and not told of, is not known to be a deed's.
    let mut world = silenced("x");
    matched(&mut world, Vec::new());
    let alert = world.target(&fixture::checkout()).unwrap().alerts[0].clone();
    assert!(!silences::counts(&world, &fixture::name("alerts"), &alert));
}

#[test]
fn an_alert_is_silenced_by_key_with_its_time_and_reason() {
    let mut world = fixture::world();
    matched(&mut world, Vec::new());
    let mut desk = at(world, Theme::standard(), (120, 40));
    desk.press("5 M").sees("silence of checkout@prod (CheckoutErrors), time, why:");
    desk.press("<ret>").sees("expected ALERT 2h REASON, 1m to 8h");
    for c in "CheckoutErrors 9h x".chars() {
        desk.blind(&if c == ' ' { "<space>".to_owned() } else { c.to_string() });
    }
    desk.press("<ret>").sees("expected ALERT 2h REASON, 1m to 8h");
    desk.press("<esc> M");
    for c in "CheckoutErrors 2h the fix is under way".chars() {
        desk.blind(&if c == ' ' { "<space>".to_owned() } else { c.to_string() });
    }
    desk.press("<ret>").sees("PLAN");
    desk.press("N").sees("PLAN");
    let mut none = at(fixture::world(), Theme::standard(), (80, 24));
    none.press("5 M").sees("no silence checkout@prod: no alerts are configured for checkout");
}

#[test]
fn a_silence_that_mutes_others_too_is_not_ended_however_many_matchers_it_has() {
    let mut world = silenced("maintenance");
    let wish = crate::model::silence::SilenceWish { alert: "CheckoutErrors".to_owned(), lasts: None };
    let planned = |world: &World| {
        let args = crate::model::intent::Arguments { silence: Some(Box::new(wish.clone())), ..Default::default() };
        let (verb, target, requester) = (Verb::Unsilence, fixture::checkout(), world.actor.clone());
        let intent = crate::model::intent::Intent { verb, target, args, requester, reason: Text::empty() };
        crate::control::planner::plan(world, intent, &fixture::now(), "n").unwrap()
    };
    let said = |world: &World, plan: &Plan| match crate::control::gate::judge(world, plan, &fixture::now()) {
        Verdict::Deny(reasons) => reasons.iter().map(|reason| reason.text.to_string()).collect::<Vec<_>>().join("; "),
        Verdict::Permit(_) | Verdict::SecondPerson { .. } | Verdict::Early(_) => String::new(),
    };
    let own = said(&world, &planned(&world));
    assert!(!own.contains("mutes more"), "{own}");
    let mut wide = world.alerts(&fixture::name("alerts")).unwrap().value.as_ref().unwrap().silences[0].clone();
    wide.matchers = vec![matcher("severity", "page"), matcher("cluster", "eu"), matcher("tier", "1")];
    matched(&mut world, vec![wide]);
    let wide = said(&world, &planned(&world));
    assert!(wide.contains("mutes more than it"), "{wide}");
}

#[test]
fn the_plan_says_who_hears_nothing_and_that_the_way_back_stays_armed() {
    let mut world = fixture::world();
    matched(&mut world, Vec::new());
    let intent = crate::model::intent::Intent {
        verb: Verb::Silence,
        target: fixture::checkout(),
        args: crate::model::intent::Arguments {
            silence: Some(Box::new(crate::model::silence::SilenceWish {
                alert: "CheckoutErrors".to_owned(),
                lasts: Some(Duration::from_hours(2)),
            })),
            ..Default::default()
        },
        requester: world.actor.clone(),
        reason: Text::clean("the fix is under way"),
    };
    let plan = crate::control::planner::plan(&world, intent, &fixture::now(), "n").unwrap();
    assert!(plan.after.as_str().contains("calls nobody until 16:03:22Z, then again by itself"), "{}", plan.after);
    let way_back = plan.costs.iter().find(|cost| cost.name == "way back").and_then(|cost| cost.text.as_ref()).unwrap();
    assert!(way_back.as_str().starts_with("a silence stops no automatic way back"), "{way_back}");
    assert_eq!(plan.undo.as_deref(), Some("unsilence checkout@prod --alert CheckoutErrors"));
}
