//! One day of the calendar in words: what opens and freezes on it, who gave an exception and why, what leaves and what waits for it.

use crate::model::plan::Plan;
use crate::model::time::Moment;
use crate::model::timetable::{Excepted, Running, Span, WayBack};
use crate::policy::calendar::{Agenda, Belief, Day, Exempted, Kind, Leaving, Line};
use crate::ui::plans::asked;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::screens::plan::page::Page;
use crate::ui::theme::{Mark, Role};

/// Whether anything that a line shows may be believed.
pub fn is_believed(line: &Line, now: &Moment) -> bool {
    !matches!(line.belief(now), Belief::Not(_))
}

/// Whether a line may be believed wholly.
pub fn is_sure(line: &Line, now: &Moment) -> bool {
    line.belief(now) == Belief::Sure
}

/// Says why a line cannot be believed; nothing when it can.
pub fn doubted(page: &mut Page<'_, '_>, line: &Line) {
    let belief = line.belief(page.scene.now);
    let Some(why) = belief.doubt() else { return };
    let what = match (line.kind, &belief, line.stops_in_doubt()) {
        (Kind::Window, Belief::Partly(_), _) => format!("window {}: only what is shown is open", line.name),
        (Kind::Window, Belief::Not(_) | Belief::Sure, _) => format!("window {} is NOT BELIEVED, so shut", line.name),
        (Kind::Freeze, _, true) => format!("freeze {} is NOT BELIEVED: nobody knows, forward deeds stop", line.name),
        (Kind::Freeze, _, false) => format!("freeze {} is NOT BELIEVED: nobody knows, the plan warns", line.name),
    };
    page.mark(Mark::Unknown, Role::Watched, &format!("{what}; {why}"));
}

/// The plans that wait for a time in this environment, and the times at which they are in each other's way.
pub fn planned<'w>(scene: &Scene<'w>, agenda: &Agenda) -> (Vec<(Span, &'w Plan)>, Vec<Span>) {
    let waiting = scene.world.waiting_at(scene.now).map(|one| &one.plan);
    let here = waiting.filter(|plan| plan.target().environment == agenda.environment);
    let spans = here.map(|plan| (plan.booking().unwrap_or(Span { begin: scene.now.wall, end: plan.expires }), plan));
    let clashes = scene.world.diary.clashes.iter();
    let here = clashes.filter(|clash| clash.targets.iter().any(|target| target.environment == agenda.environment));
    (spans.collect(), here.map(|clash| clash.overlap).collect())
}

/// The day in words.
pub fn rows(scene: &Scene<'_>, agenda: &Agenda, day: &Day, width: usize) -> Vec<Row> {
    let mut page = Page { scene, width, rows: Vec::new() };
    let date = day.date.format("%A %d %B %Y");
    let hours = (day.span.end - day.span.begin).num_hours();
    let way = if day.jump > 0 { "forward" } else { "back" };
    let clock = if day.jump == 0 { String::new() } else { format!(": the clock is set {way}, it is {hours} h long") };
    page.text(1, Role::Strong, &format!("{date}{clock}"));
    let before = page.rows.len();
    for line in agenda.windows.iter().filter(|line| is_believed(line, scene.now)) {
        for span in line.spans.iter().filter(|span| span.meets(&day.span)) {
            page.mark(Mark::Open, Role::Plain, &format!("window {} is open {}{}", line.name, times(scene, *span, day), about(line)));
        }
    }
    for line in &agenda.freezes {
        for span in line.spans.iter().filter(|span| span.meets(&day.span)) {
            freeze(&mut page, line, *span, day);
        }
        let of_day = line.exceptions.iter().filter(|one| one.span.is_none_or(|span| span.meets(&day.span)));
        for exempted in of_day {
            exception(&mut page, line, exempted);
        }
    }
    for leaving in agenda.departures.iter().filter(|leaving| day.span.holds(leaving.departure.at)) {
        departure(&mut page, agenda, leaving);
    }
    for (span, plan) in planned(scene, agenda).0.iter().filter(|(span, _)| span.meets(&day.span)) {
        let what = format!("plan {}: {} {} by {}", plan.id.short(), asked(plan), plan.target(), plan.intent.requester);
        page.mark(Mark::Waits, Role::Waits, &format!("{what}, {}", times(scene, *span, day)));
    }
    for line in agenda.windows.iter().chain(&agenda.freezes) {
        doubted(&mut page, line);
    }
    if page.rows.len() == before {
        let open = if agenda.windows.is_empty() { "no window is needed" } else { "no window opens" };
        page.text(3, Role::Plain, &format!("{open}, and nothing freezes"));
    }
    page.rows
}

fn about(line: &Line) -> String {
    let about = line.about();
    if about.is_empty() { String::new() } else { format!(", for {about}") }
}

/// A span by the room's clock: times of this day, and the day where it is another one.
fn times(scene: &Scene<'_>, span: Span, day: &Day) -> String {
    let of = |at| {
        let whole = scene.zone.stamp(&at);
        let hour = whole.rsplit(' ').next().unwrap_or_default().to_owned();
        if day.span.holds(at) { hour } else { whole }
    };
    if span.begin <= day.span.begin && day.span.end <= span.end {
        return format!("all day, {} to {}", scene.zone.stamp(&span.begin), scene.zone.stamp(&span.end));
    }
    let end = if span.end == day.span.end { "24:00".to_owned() } else { of(span.end) };
    format!("{} to {end}", of(span.begin))
}

fn freeze(page: &mut Page<'_, '_>, line: &Line, span: Span, day: &Day) {
    let back = match line.way_back {
        WayBack::Exempt => "the way back stays open",
        WayBack::Frozen => "ALSO the way back",
    };
    let running = match line.running {
        Running::Finish => "what is under way may finish",
        Running::Hold => "what is under way stays where it stands",
    };
    let times = times(page.scene, span, day);
    page.mark(Mark::Frozen, Role::Plain, &format!("freeze {} holds {times}{}: {}; {back}; {running}", line.name, about(line), line.reason));
}

fn exception(page: &mut Page<'_, '_>, line: &Line, exempted: &Exempted) {
    let given = &exempted.exception;
    let lets = match &given.lets {
        Excepted::Plan(plan) => format!("plan {}, whenever", plan.short()),
        Excepted::Day { target, date } => format!("{target} on {} ({})", date.format("%d %b"), line.timezone),
    };
    page.mark(Mark::None, Role::Strong, &format!("exception from {} for {lets}, given by {}: {}", line.name, given.by, given.reason));
}

fn departure(page: &mut Page<'_, '_>, agenda: &Agenda, leaving: &Leaving) {
    let zone = page.scene.zone;
    let hour = |at| zone.stamp(at).rsplit(' ').next().unwrap_or_default().to_owned();
    let departure = &leaving.departure;
    let times = format!(
        "leaves {}, be ready by {}, its window shuts {}",
        hour(&departure.at),
        zone.stamp(&departure.cut_off),
        hour(&departure.shuts)
    );
    match (&leaving.frozen, agenda.doubted(leaving, page.scene.now)) {
        (None, None) => page.mark(Mark::None, Role::Plain, &format!("train {} {times}", leaving.train)),
        (None, Some(line)) => {
            page.mark(Mark::Unknown, Role::Watched, &format!("train {} {times}, if {} lets it: nobody knows", leaving.train, line.name));
        }
        (Some(freeze), _) => {
            page.mark(Mark::Abnormal, Role::Watched, &format!("train {} {times}; but {freeze} holds then: it takes nobody", leaving.train));
        }
    }
}
