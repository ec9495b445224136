//! One verb on many targets as keystrokes: marked or by expression, seen as one list, ordered by one Enter.

use super::*;

fn typed(desk: &mut Desk, text: &str) {
    let keys: Vec<String> = text.chars().map(|c| if c == ' ' { "space".to_owned() } else { c.to_string() }).collect();
    desk.press(&keys.join(" "));
}

fn targets(desk: &Desk) -> Vec<String> {
    desk.executed().iter().map(|plan| plan.target().to_string()).collect()
}

#[test]
fn the_line_is_stopped_by_one_expression_and_what_is_held_already_is_left_out_with_its_reason() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut desk = at(fixture::held(), Theme::standard(), size);
        desk.press(":");
        typed(&mut desk, "hold *@prod");
        desk.sees("4 targets; opens the plans of all as one list");
        desk.press("<ret>").sees("HOLD *@prod: 3 targets");
        desk.sees("left out: held already by cy since 14:02:51Z");
        desk.sees("an automatic way back goes on all the same");
        desk.sees("RUN hold on 3 of 4");
        insta::assert_snapshot!(format!("many-{}x{}", size.0, size.1), desk.text());
        assert!(desk.executed().is_empty(), "the list alone does nothing");
        typed(&mut desk, "stop the line");
        desk.press("<ret> <ret>");
        assert_eq!(targets(&desk), ["ledger@prod", "mail@prod", "search@prod"]);
        assert!(desk.executed().iter().all(|plan| plan.intent.reason.as_str() == "stop the line"));
        desk.sees("3 ASKED");
        desk.press("<esc>");
        assert!(!desk.text().contains("PLAN"), "{}", desk.text());
    }
}

#[test]
fn keys_pressed_before_the_list_was_seen_are_dropped_and_counted() {
    let mut desk = standard();
    desk.press("space j space").blind("h").blind("<ret>");
    assert!(desk.executed().is_empty());
    desk.look();
    desk.sees("1 key typed before this was seen: dropped");
    desk.press("<ret>");
    assert_eq!(desk.executed().len(), 2);
}

#[test]
fn marks_are_seen_counted_and_taken_back_and_only_what_takes_many_is_offered() {
    let mut desk = standard();
    desk.press("space j space").sees("2 marked:");
    let marked = |desk: &Desk| desk.text().lines().filter(|line| line.chars().nth(2) == Some('#')).count();
    assert_eq!(marked(&desk), 2, "{}", desk.text());
    let keys = desk.text().lines().last().unwrap().to_owned();
    assert!(keys.contains("h hold") && !keys.contains("s shift"), "{keys}");
    insta::assert_snapshot!("many-marked-80x24", desk.text());
    desk.press("s").sees("it takes one target; each target has a plan of its own");
    assert!(desk.acts.is_empty());
    desk.press("space");
    assert_eq!(marked(&desk), 1);
    desk.press("<esc>");
    assert_eq!(marked(&desk), 0);
    // Without marks a key is about the one target again.
    desk.press("g h").sees("HOLD checkout@prod");
}

#[test]
fn what_is_marked_on_the_board_is_no_subject_of_another_screen() {
    let mut desk = standard();
    desk.press("space j space g 3 h").sees("HOLD checkout@prod");
    desk.press("<ret>");
    assert_eq!(targets(&desk), ["checkout@prod"]);
}

#[test]
fn what_stops_goes_where_it_may_and_the_rest_is_recorded_as_tried() {
    let mut desk = standard();
    desk.session = desk.session.governed(fixture::plan, |_, plan, _| {
        if plan.target().service.as_str() == "mail" {
            Verdict::Deny(vec![Reason::new("role", "ana has no role for mail", "ask dee for the role")])
        } else {
            Verdict::Permit(Permit::grant(plan.id))
        }
    });
    desk.press(":");
    typed(&mut desk, "hold *@prod");
    desk.press("<ret>").sees("3 you may, 1 denied");
    desk.sees("ana has no role for mail");
    desk.press("<ret>");
    assert_eq!(targets(&desk), ["checkout@prod", "ledger@prod", "search@prod"]);
    let refused: Vec<_> =
        desk.acts.iter().filter_map(|act| if let Act::Refuse(plan, _) = act { Some(plan.target().to_string()) } else { None }).collect();
    assert_eq!(refused, ["mail@prod"]);
}

#[test]
fn what_goes_forward_goes_for_all_or_none_and_asks_for_its_name() {
    let mut desk = at(fixture::held(), Theme::standard(), (80, 24));
    desk.press(":");
    typed(&mut desk, "resume *@prod");
    desk.press("<ret>").sees("RESUME *@prod: 1 target");
    desk.sees("left out: not held");
    desk.session = desk.session.governed(fixture::plan, no);
    desk.press("<ret>").sees("nothing of it may be carried out: nothing was sent");
    assert!(desk.acts.is_empty(), "{:?}", desk.acts);
    desk.session = desk.session.governed(fixture::plan, yes);
    desk.press("<ret>");
    if desk.text().contains("type *@prod") {
        desk.press("<ret>").sees("type *@prod in full");
        assert!(desk.executed().is_empty());
        typed(&mut desk, "*@prod");
        desk.press("<ret>");
    }
    assert_eq!(targets(&desk), ["checkout@prod"]);
}

#[test]
fn users_go_back_before_those_that_they_use_and_what_has_no_rollout_is_left_out() {
    let mut world = fixture::world();
    // search is under way, too, and checkout uses it.
    let mut view = (**world.targets.get(&fixture::name("search@prod")).unwrap()).clone();
    view.state.rollout = world.target(&fixture::name("checkout@prod")).unwrap().state.rollout.clone();
    world.targets.insert_mut(view.target.clone(), std::sync::Arc::new(view));
    let mut catalog = (*world.catalog).clone();
    catalog.services.get_mut(&fixture::name("checkout")).unwrap().depends_on.push(fixture::name("search"));
    world.catalog = std::sync::Arc::new(catalog.clone());
    world.generation += 1;
    let order = |world: &World| {
        let mut desk = at(world.clone(), Theme::standard(), (120, 40));
        desk.press(":");
        typed(&mut desk, "abort *@prod");
        desk.press("<ret>").sees("no rollout is under way");
        desk.press("<ret>");
        targets(&desk)
    };
    assert_eq!(order(&world), ["checkout@prod", "search@prod"]);
    // The other way round.
    catalog.services.get_mut(&fixture::name("checkout")).unwrap().depends_on.clear();
    catalog.services.get_mut(&fixture::name("search")).unwrap().depends_on.push(fixture::name("checkout"));
    world.catalog = std::sync::Arc::new(catalog);
    assert_eq!(order(&world), ["search@prod", "checkout@prod"]);
}

#[test]
fn a_list_that_has_ended_is_planned_anew_before_anything_is_sent() {
    let mut desk = standard();
    desk.press("space j space h");
    let expires = desk.now.wall + chrono::TimeDelta::hours(2);
    desk.now.wall = expires;
    desk.look();
    desk.sees("PLAN AGAIN");
    desk.press("<ret>");
    assert!(desk.executed().is_empty(), "{:?}", desk.acts);
}

#[test]
fn an_expression_that_selects_nothing_or_a_verb_of_one_target_opens_no_list() {
    let mut desk = standard();
    desk.press(":");
    typed(&mut desk, "hold *@nowhere");
    desk.press("<ret>").sees("*@nowhere selects no target");
    desk.press(":");
    typed(&mut desk, "promote *@prod");
    desk.sees("nothing is called so");
}
