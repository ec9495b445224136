//! An error budget: what is left and how it went down, how fast it burns over each window, which rule fires, and how much of it is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::analysis::burn::budget::Outlook;
use crate::analysis::burn::rules::Verdict;
use crate::control::objectives::{time, windows};
use crate::control::world::{Measured, ObjectiveState, ObjectiveView, World};
use crate::model::burn_rule::{factor, span_word};
use crate::model::name::{ServiceName, Target};

use crate::ui::row::{Row, cells, fit};
use crate::ui::scene::Scene;
use crate::ui::theme::{Mark, Role};
use crate::ui::widgets::sparkline::sparkline;
use crate::ui::words;

/// What of a window must be measured before its figure stands without a word.
const WHOLE: f64 = 0.99;

/// How a state looks.
fn looks(state: ObjectiveState) -> (Mark, Role) {
    match state {
        ObjectiveState::Page => (Mark::Abnormal, Role::Abnormal),
        ObjectiveState::Ticket | ObjectiveState::Gone => (Mark::Abnormal, Role::Watched),
        ObjectiveState::Unknown => (Mark::Unknown, Role::Stale),
        ObjectiveState::Quiet => (Mark::None, Role::Plain),
    }
}

/// The objectives of a target, the gravest first; of equally grave ones that with the least budget.
pub fn by_gravity<'a>(world: &'a World, target: &'a Target, scene: &Scene<'_>) -> Vec<&'a Arc<ObjectiveView>> {
    let mut all: Vec<_> = world.objectives_of(target).collect();
    all.sort_by(|a, b| gravity(a, b, scene));
    all
}

fn gravity(a: &ObjectiveView, b: &ObjectiveView, scene: &Scene<'_>) -> std::cmp::Ordering {
    let left = |view: &ObjectiveView| view.measured.as_ref().and_then(|measured| measured.budget.left()).unwrap_or(f64::INFINITY);
    a.state(scene.now).cmp(&b.state(scene.now)).then(left(a).total_cmp(&left(b)))
}

/// The gravest objective of each of these services, over all its environments.
pub fn gravest(scene: &Scene<'_>, services: &[&ServiceName]) -> BTreeMap<ServiceName, Arc<ObjectiveView>> {
    let gravest_of = |service: &&ServiceName| {
        let all = scene.world.objectives_of_service(service);
        Some(((*service).clone(), all.min_by(|a, b| gravity(a, b, scene))?.clone()))
    };
    services.iter().filter_map(gravest_of).collect()
}

/// The two figures of a list: what is left of the budget, and the burn over one window, with their look; `~` where it is not known.
pub fn columns(scene: &Scene<'_>, view: &ObjectiveView) -> (Role, String, String) {
    let unknown = scene.glyph(Mark::Unknown).to_owned();
    let state = view.state(scene.now);
    let (_, role) = looks(state);
    let Some(measured) = due(scene, view) else { return (Role::Stale, unknown.clone(), unknown) };
    let left = measured.budget.left().map_or_else(|| unknown.clone(), |left| per_cent(left.max(0.0)));
    let burn = of_window(view, measured).map_or(unknown, |burn| if burn < 100.0 { format!("{burn:.1} x") } else { format!("{burn:.0} x") });
    (role, left, burn)
}

/// Over how long the two columns of a list are counted, as objectives and their rules are configured; where the rows differ each says it.
#[derive(Debug, Clone)]
pub struct Spans {
    period: Option<String>,
    burn: Option<String>,
    cells: [usize; 2],
}

impl Spans {
    /// Of the objectives in sight.
    pub fn of<'a>(views: impl Iterator<Item = &'a ObjectiveView> + Clone) -> Self {
        let one = |all: BTreeSet<String>| all.first().filter(|_| all.len() == 1).cloned();
        let period = one(views.clone().map(|view| view.objective.period.to_string()).collect());
        let burn = one(views.filter_map(burn_window).map(span_word).collect());
        // Where figures say their own: `100 % quarter`.
        let of = |word: &str, span: &Option<String>| span.as_ref().map_or(14, |span| cells(word) + 1 + cells(span)).max(7);
        let cells = [of("budget", &period), of("burn", &burn) + 1];
        Self { period, burn, cells }
    }

    /// The cells that both take.
    pub fn width(&self) -> usize {
        self.cells.iter().sum()
    }

    /// `budget 30d  burn 1h`, each above its figures.
    pub fn heading(&self) -> String {
        let of = |word: &str, span: &Option<String>| span.as_ref().map_or_else(|| word.to_owned(), |span| format!("{word} {span}"));
        self.laid(&of("budget", &self.period), &of("burn", &self.burn))
    }

    /// The figures of an objective with their look.
    pub fn row(&self, scene: &Scene<'_>, view: &ObjectiveView) -> (Role, String) {
        let (role, mut left, mut burn) = columns(scene, view);
        if self.period.is_none() {
            left = format!("{left} {}", view.objective.period);
        }
        if let (None, Some(window)) = (&self.burn, burn_window(view)) {
            burn = format!("{burn} {}", span_word(window));
        }
        (role, self.laid(&left, &burn))
    }

    fn laid(&self, left: &str, burn: &str) -> String {
        let [of_left, of_burn] = self.cells;
        format!("{left:>of_left$}{burn:>of_burn$}")
    }
}

/// The window whose burn stands in a list: the hour, else the shortest of its rules.
fn burn_window(view: &ObjectiveView) -> Option<Duration> {
    let all = windows(&view.objective.rules);
    all.iter().find(|window| window.as_secs() == 3_600).or(all.first()).copied()
}

/// What was measured while it is fresh; the drawing is due when it becomes too old.
fn due<'a>(scene: &Scene<'_>, view: &'a ObjectiveView) -> Option<&'a Measured> {
    let measured = view.fresh(scene.now)?;
    if let Some(age) = view.age(scene.now) {
        scene.changes_in(view.allowed_age().saturating_sub(age) + Duration::from_millis(1));
    }
    Some(measured)
}

/// The burn that stands in a list.
fn of_window(view: &ObjectiveView, measured: &Measured) -> Option<f64> {
    let window = burn_window(view)?;
    measured.burns.iter().find(|burn| burn.window == window)?.rate
}

/// A count with its thousands apart.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "negative and huge numbers saturate, which is what is wanted")]
fn whole(count: f64) -> String {
    words::count(count.round().max(0.0) as u64)
}

fn per_cent(share: f64) -> String {
    let number = share * 100.0;
    if number.abs() >= 10.0 || (number - number.round()).abs() < 0.05 { format!("{number:.0} %") } else { format!("{number:.1} %") }
}

/// One objective in one row: how it stands, what is left, what today took, how fast it burns, and which rule fires.
pub fn compact(scene: &Scene<'_>, view: &ObjectiveView, name: usize, width: usize) -> Row {
    let state = view.state(scene.now);
    let (mark, role) = looks(state);
    let mut row = Row::of(role, format!(" {} ", scene.glyph(mark)));
    row.add(Role::Plain, view.key.name.to_string()).at(name + 4);
    let Some(measured) = due(scene, view) else {
        let why = match &view.measured {
            Some(_) => format!("measured {} ago: STALE", view.age(scene.now).map(|age| scene.age(age)).unwrap_or_default()),
            None => not_measured(view),
        };
        return row.put(Role::Stale, why);
    };
    row.add(if state == ObjectiveState::Quiet { Role::Plain } else { role }, left_words(measured));
    let [today, today_short] = today_words(measured);
    let firing = view.firing(scene.now);
    // Of a rule its two windows are what one looks at: those of the one that fires, else of the gravest.
    let two = firing.map(|(state, _)| state).or(measured.rules.first()).map(|state| [state.rule.short, state.rule.long]);
    let burns: Vec<String> = measured.burns.iter().take(4).map(burn_words).collect();
    let of_two = |burn: &&crate::analysis::burn::rate::Burn| two.is_some_and(|two| two.contains(&burn.window));
    let two: Vec<String> = measured.burns.iter().filter(of_two).map(burn_words).collect();
    let (burns, two) = (burns.join("  "), two.join("  "));
    let [fires, fires_short] = match firing {
        Some((state, since_s)) => {
            let (rule, since) = (&state.rule, scene.zone.minute(&time(since_s), &scene.now.wall));
            [format!("{} FIRES since {since}", rule.words()), format!("{} {}x FIRES", rule.severity.word(), factor(rule.burn))]
        }
        None => [state.word().to_owned(), state.word().to_owned()],
    };
    let forms = [
        format!("  {today}  burn {burns}  {fires}"),
        format!("  {today}  burn {two}  {fires}"),
        format!("  {today}  burn {two}  {fires_short}"),
        format!("  {today_short}  {two}  {fires_short}"),
        format!("  {two}  {fires_short}"),
        format!("  {fires_short}"),
    ];
    let words = fit(&forms, width.saturating_sub(row.width() + 1));
    row.put(role, words)
}

fn today_words(measured: &Measured) -> [String; 2] {
    let today = measured.today.map_or_else(|| "not known".to_owned(), per_cent);
    [format!("spent today {today}"), format!("today {today}")]
}

/// The rows of one objective.
pub fn rows(scene: &Scene<'_>, view: &ObjectiveView, width: usize) -> Vec<Row> {
    let state = view.state(scene.now);
    let (mark, role) = looks(state);
    let objective = &view.objective;
    let mut heading = Row::rule(scene.theme, &format!("{} {} % over {}", view.key.name, factor(objective.goal * 100.0), objective.period));
    heading.end(role, format!(" {} {} ", scene.glyph(mark), state.word().to_uppercase()));
    let mut rows = vec![heading];
    let Some(measured) = &view.measured else {
        rows.push(Row::of(Role::Stale, format!("   {}", not_measured(view))));
        return rows;
    };
    let fresh = due(scene, view).is_some();
    let tone = |role: Role| if fresh { role } else { Role::Stale };
    rows.push(left(scene, measured, width, tone(if state == ObjectiveState::Quiet { Role::Strong } else { role })));
    rows.push(burns(measured, width, tone(Role::Plain)));
    rows.extend(alarms(scene, view, measured, width, fresh).into_iter().map(|(role, text)| Row::of(tone(role), text)));
    rows.push(known(scene, view, measured, width, fresh));
    rows
}

fn not_measured(view: &ObjectiveView) -> String {
    match &view.trouble {
        Some(trouble) => format!("not measured: {trouble}"),
        None => format!("being measured; its past is read from {}", view.objective.backend),
    }
}

fn left_words(measured: &Measured) -> String {
    let budget = &measured.budget;
    let most = if budget.coverage < WHOLE { "at most " } else { "" };
    match budget.left() {
        None => "left not known".to_owned(),
        Some(left) if left <= 0.0 => format!("spent {}", per_cent(1.0 - left)),
        Some(left) => format!("left {most}{}", per_cent(left)),
    }
}

/// What is left, how it went down, and when it ends.
fn left(scene: &Scene<'_>, measured: &Measured, width: usize, role: Role) -> Row {
    let budget = &measured.budget;
    let left = left_words(measured);
    let ends = match measured.outlook {
        Outlook::Gone => "gone".to_owned(),
        Outlook::In(span) => format!("gone in {} at this rate", words::span(span.as_secs() / 60 * 60)),
        Outlook::Lasts => "lasts at this rate".to_owned(),
        Outlook::Unknown => "its end is not known".to_owned(),
    };
    let today = format!("  {}", fit(&today_words(measured), width.saturating_sub(cells(&left) + cells(&ends) + 29)));
    let room = width.saturating_sub(cells(&left) + cells(&today) + cells(&ends) + 9).min(budget.burn_down.len());
    let mut row = Row::of(Role::Plain, "   ");
    row.add(role, left)
        .add(Role::Plain, today)
        .add(Role::Plain, "  ")
        .add(Role::Quiet, sparkline(&budget.burn_down, room, scene.theme.charts()));
    row.end(Role::Plain, format!("{ends} "));
    row
}

/// The burn over one window, and how much of it was measured where that is not all.
fn burn_words(burn: &crate::analysis::burn::rate::Burn) -> String {
    let rate = burn.rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}x"));
    let known = if burn.coverage() < WHOLE { format!(" of {:.0} %", burn.coverage() * 100.0) } else { String::new() };
    format!("{} {rate}{known}", span_word(burn.window))
}

/// The burn over each window; long windows fall away before short ones.
fn burns(measured: &Measured, width: usize, role: Role) -> Row {
    let words: Vec<String> = measured.burns.iter().map(burn_words).collect();
    let forms: Vec<String> =
        (1..=words.len()).rev().map(|count| words.iter().take(count).map(String::as_str).collect::<Vec<_>>().join("  ")).collect();
    let mut row = Row::of(Role::Quiet, "   burn ");
    row.add(role, fit(&forms, width.saturating_sub(9)));
    row
}

/// The rules that fire, or cannot say.
fn alarms(scene: &Scene<'_>, view: &ObjectiveView, measured: &Measured, width: usize, fresh: bool) -> Vec<(Role, String)> {
    let mut all = Vec::new();
    for state in &measured.rules {
        let rule = state.rule.words();
        let (mark, role, forms) = match state.verdict {
            Verdict::Fires { since_s } => {
                let since = scene.zone.minute(&time(since_s), &scene.now.wall);
                let role = if state.rule.severity == crate::model::burn_rule::Severity::Page { Role::Abnormal } else { Role::Watched };
                let counts = format!("{} bad of {}", whole(state.long.sum.bad), whole(state.long.sum.total));
                if !fresh {
                    // Whether it still does nobody knows.
                    let forms = vec![format!("{rule} fired since {since} when it was measured"), format!("{rule} fired since {since}")];
                    all.push((Role::Stale, format!(" {} {}", scene.glyph(Mark::Unknown), fit(&forms, width.saturating_sub(4)))));
                    continue;
                }
                (Mark::Abnormal, role, vec![format!("{rule} fires since {since}; {counts}"), format!("{rule} fires since {since}")])
            }
            Verdict::TooFew => {
                let counts = format!("{} of {} events", whole(state.long.sum.total), whole(view.objective.min_events));
                (Mark::Unknown, Role::Quiet, vec![format!("{rule} is held by too few: {counts}"), format!("{rule} held: {counts}")])
            }
            Verdict::Unknown => {
                let known = state.long.coverage().min(state.short.coverage()) * 100.0;
                let short = format!("{rule}: {known:.0} % measured");
                (Mark::Unknown, Role::Stale, vec![format!("{rule} cannot say: {known:.0} % of its window measured"), short])
            }
            Verdict::Quiet => continue,
        };
        all.push((role, format!(" {} {}", scene.glyph(mark), fit(&forms, width.saturating_sub(4)))));
    }
    all
}

/// How much is known, until when, and what is doubtful.
fn known(scene: &Scene<'_>, view: &ObjectiveView, measured: &Measured, width: usize, fresh: bool) -> Row {
    let budget = &measured.budget;
    let unit = if view.objective.indicator.counts_events() { "events" } else { "s" };
    let counts = format!("{} bad of {} {unit}", whole(budget.bad), whole(budget.total));
    let share = format!("{:.0} % of the window measured", budget.coverage * 100.0);
    let age = view.age(scene.now).map(|age| scene.age(age)).unwrap_or_default();
    let stale = if fresh { "" } else { " STALE" };
    let more = view.trouble.as_ref().map(ToString::to_string).or_else(|| measured.doubt.as_ref().map(ToString::to_string));
    let more = more.map(|more| format!("; {more}")).unwrap_or_default();
    let forms = [
        format!("{counts}, {share}, {age} ago{stale}{more}"),
        format!("{counts}, {share}, {age} ago{stale}"),
        format!("{share}, {age} ago{stale}"),
    ];
    Row::of(if fresh { Role::Quiet } else { Role::Stale }, format!("   {}", fit(&forms, width.saturating_sub(4))))
}
