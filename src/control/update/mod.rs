//! The update: one event in, the next world and the tasks that follow out. Pure; split by event family.

mod authors;
mod calendar;
mod deed;
mod diary;
mod flags;
mod links;
mod moved;
mod objectives;
mod opening;
mod probes;
mod reading;
mod rollouts;
mod rules;
mod ruling;
mod saying;
mod seat;
mod store;
mod timeline;
mod trials;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub use self::opening::{Equipment, Opening, Seat};
use crate::control::asks;
use crate::control::engine::Machine;
use crate::control::event::Event;
use crate::control::schedule::{Schedule, Urgency};
use crate::control::task::Task;
use crate::control::world::{self, ByHand, LogView, World};
use crate::model::capability::Capability;
use crate::model::catalog::Catalog;
use crate::model::name::{BackendName, PlanId, Target};
use crate::model::operator::Actor;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::HappeningKind;
use crate::model::traffic::TrafficReading;

/// How long a poll may take before it has timed out.
const POLL_WITHIN: Duration = Duration::from_secs(10);
/// How often the store is asked whether another process wrote to it.
const STORE_EVERY: Duration = Duration::from_secs(1);
/// How often a followed log is read.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// Everything that the update works on: the world that screens see, and the machines behind it.
/// A clone shares what did not change: the past is folded from such ones.
#[derive(Debug, Clone)]
pub struct Room {
    world: World,
    machines: BTreeMap<PlanId, Machine>,
    schedule: Schedule,
    previous: BTreeMap<BackendName, (Arc<TrafficReading>, Moment)>,
    looking: Option<Target>,
    detail: Option<u64>,
    following: BTreeMap<(BackendName, u64), Following>,
    store_due: Boot,
    /// When each calendar is read next.
    calendars_due: BTreeMap<BackendName, calendar::Due>,
    /// When it is read who made what.
    asking: authors::Asking,
    /// What of each objective was read.
    measuring: objectives::Measuring,
    /// What is known of links beside what the world shows.
    known_links: links::Known,
    /// When the diary is written next.
    diary: diary::Written,
    /// Why the store could not be opened for writing; it stays so.
    record_trouble: Option<Text>,
    steady: BTreeMap<Target, (Text, Boot)>,
    /// Shares that changed and nobody is known yet who did it.
    moved: Vec<moved::Moved>,
    /// Targets whose hold was seen broken, each told once.
    broken_holds: BTreeSet<Target>,
    /// Roles taken for a while whose end was told, by the grant's identity.
    grants_ended: BTreeSet<String>,
    /// Whether somebody sits before it.
    is_seat: bool,
    /// Whom the other processes were told to be here.
    appeared: Option<Actor>,
    abilities: BTreeMap<BackendName, (&'static [Capability], ByHand)>,
    tends: bool,
    /// Whether rollouts go on here.
    conducts: bool,
    /// Rollouts that go on by themselves.
    walks: rollouts::Walks,
    begun: bool,
    /// Lines of the timeline come from a recording, which has them all: none is told a second time.
    hears: bool,
}

/// A log that sessions follow.
#[derive(Debug, Clone, Default)]
struct Following {
    sessions: u32,
    due: Boot,
    in_flight: bool,
}

impl Room {
    /// A room in which nothing has been read yet.
    pub fn open(opening: Opening, now: Moment) -> Self {
        let equipment = Equipment {
            installation: opening.installation.clone(),
            record_trouble: opening.record_trouble.clone(),
            has_second_place: opening.has_second_place,
            abilities: opening.abilities.clone(),
        };
        let mut room = Self::bare(opening, now);
        room.take_over(equipment);
        room
    }

    /// A room whose backends and store are still being opened: it can be shown, and no deed is possible before [`Room::equip`].
    pub fn bare(opening: Opening, now: Moment) -> Self {
        let mut world = World::new(opening.catalog, opening.actor, opening.read_only, now);
        world.asking = (opening.seat == Seat::Asked).then(|| Text::clean("asking the agent"));
        let mut room = Self {
            world: World { rules: opening.rules, ..world },
            machines: BTreeMap::new(),
            schedule: Schedule::new(opening.seed),
            previous: BTreeMap::new(),
            looking: None,
            detail: None,
            following: BTreeMap::new(),
            store_due: Boot(0),
            calendars_due: BTreeMap::new(),
            asking: authors::Asking::default(),
            measuring: objectives::Measuring::default(),
            known_links: links::Known::default(),
            diary: diary::Written::default(),
            record_trouble: opening.record_trouble,
            steady: BTreeMap::new(),
            moved: Vec::new(),
            broken_holds: BTreeSet::new(),
            grants_ended: BTreeSet::new(),
            is_seat: opening.seat != Seat::None,
            appeared: None,
            abilities: BTreeMap::new(),
            tends: opening.tends,
            conducts: opening.conducts,
            walks: rollouts::Walks::default(),
            begun: false,
            hears: false,
        };
        room.objectives_anew();
        room
    }

    /// Backends and store are open now.
    pub fn equip(&mut self, now: &Moment, equipment: Equipment) {
        self.take_over(equipment);
        self.touch(now);
    }

    /// The adapters were made anew: what each backend can do from now on.
    pub fn is_able(&mut self, abilities: BTreeMap<BackendName, (&'static [Capability], ByHand)>) {
        self.abilities = abilities;
    }

    fn take_over(&mut self, equipment: Equipment) {
        self.world.ledger.installation = equipment.installation;
        self.world.ledger.has_second_place = equipment.has_second_place;
        self.world.ledger.trouble.clone_from(&equipment.record_trouble);
        self.record_trouble = equipment.record_trouble;
        self.abilities = equipment.abilities;
        equip(&mut self.world, &self.abilities);
    }

    /// The world as it stands.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Whether this process settles what dead ones left.
    pub fn tends(&self) -> bool {
        self.tends
    }

    /// Whether rollouts go on by themselves in this process.
    pub fn conducts(&self) -> bool {
        self.conducts
    }

    /// The backends that it can speak to, and what each of them can do.
    pub fn abilities(&self) -> &BTreeMap<BackendName, (&'static [Capability], ByHand)> {
        &self.abilities
    }

    /// The machine of a deed.
    pub fn machine(&self, plan: PlanId) -> Option<&Machine> {
        self.machines.get(&plan)
    }

    /// Whether a deed of this process is between confirmed and effective.
    pub fn is_hasty(&self) -> bool {
        self.machines.values().any(Machine::is_hasty)
    }

    /// When something is due even if nothing comes in.
    pub fn wake(&self) -> Option<Boot> {
        let logs = self.following.values().filter(|one| !one.in_flight).map(|one| one.due).min();
        let machines = self.machines.values().filter_map(Machine::wake).min();
        let moved = self.moved.iter().map(|moved| moved.due).min();
        let (diary, grants, rollouts) = (self.diary_wake(), self.grants_wake(), self.rollouts_wake());
        [
            self.schedule.wake(),
            machines,
            rollouts,
            logs,
            moved,
            self.calendars_wake(),
            self.asking.wake(),
            self.measuring.wake(),
            diary,
            grants,
            Some(self.store_due),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Takes in one event.
    pub fn update(&mut self, now: &Moment, event: Event) -> Vec<Task> {
        let mut tasks = Vec::new();
        if !self.begun {
            self.begun = true;
            tasks.push(Task::ReadJournal);
        }
        if let Some(plan) = event.subject() {
            tasks.extend(self.on_deed(now, plan, &event));
        } else {
            tasks.extend(self.on_event(now, event));
        }
        tasks.extend(self.appear(now));
        tasks.extend(self.look_at_machines(now));
        tasks.extend(self.look_at_rollouts(now));
        tasks.extend(self.look_at_moves(now));
        tasks.extend(self.look_at_grants(now));
        self.set_urgency();
        tasks.extend(self.polls(now));
        tasks.extend(self.links(now));
        tasks.extend(self.logs(now));
        tasks.extend(self.calendars(now));
        tasks.extend(self.ranges(now));
        tasks.extend(self.objectives(now));
        tasks.extend(self.look_at_diary(now));
        if now.boot >= self.store_due {
            self.store_due = now.boot.plus(STORE_EVERY);
            tasks.push(Task::ReadStore);
        }
        tasks
    }

    fn on_event(&mut self, now: &Moment, event: Event) -> Vec<Task> {
        match event {
            Event::Polled { backend, seq, asked, result } => self.on_polled(now, &backend, seq, asked, result),
            Event::CalendarRead { calendar, asked, result } => {
                self.on_calendar(now, &calendar, asked, result);
                Vec::new()
            }
            Event::AuthorsRead { span, asked, result } => {
                self.on_range(now, span, asked, result);
                Vec::new()
            }
            Event::ObjectiveRead { key, stretch, asked, result } => self.on_objective(now, &key, stretch, asked, result),
            Event::Probed { target, rollout, name, asked, answer } => self.on_probed(now, &target, rollout, &name, (asked, answer)),
            Event::AuthorsWanted { span } => {
                self.asking.name(now, span);
                Vec::new()
            }
            Event::LogRead { backend, log, result } => {
                self.on_log(now, backend, log, result);
                Vec::new()
            }
            Event::StoreRead { result } => self.on_store(now, result),
            Event::JournalRead { happenings, trials } => {
                self.on_kept(trials);
                let mut all: std::collections::VecDeque<_> = happenings.clone().into();
                all.extend(self.world.timeline.iter().cloned());
                self.world.timeline = Arc::new(all);
                self.world.journal_read = true;
                self.touch(now);
                self.on_links_told(now, &happenings)
            }
            Event::JournalWritten { trouble } => {
                let words = match &trouble {
                    Some(trouble) => format!("{trouble}; history has a hole from here on, no deed is lost"),
                    None => "the journal is written again".to_owned(),
                };
                self.world.journal_trouble = trouble;
                self.say(now, HappeningKind::Source, None, &words, "journal")
            }
            Event::Verified { result } => {
                let ledger = &mut self.world.ledger;
                match result {
                    Ok(found) => (ledger.verified, ledger.unverified) = (Some((now.wall, found)), None),
                    Err(error) => ledger.unverified = Some((now.wall, Text::clean(&error.to_string()))),
                }
                self.touch(now);
                Vec::new()
            }
            Event::Confirmed { plan } => self.on_confirmed(now, *plan),
            Event::Refused { plan, reasons } => self.on_refused(now, plan, reasons),
            Event::Looking { target, run } => {
                self.looking = target;
                self.detail = run;
                Vec::new()
            }
            Event::Following { backend, log, on } => {
                self.on_following(now, backend, log, on);
                Vec::new()
            }
            Event::Rule { ruling } => self.on_rule(ruling),
            Event::RulingSigned { ruling, result } => self.on_ruling_signed(now, ruling, result),
            Event::Ruled { ruling, result } => self.on_ruled(now, ruling, result),
            Event::NameRules { naming } => self.on_name_rules(naming),
            Event::NamingSigned { naming, result } => self.on_naming_signed(now, naming, result),
            Event::RulesNamed { naming, result } => self.on_rules_named(now, naming, result),
            Event::Here { here } => {
                self.on_here(now, here);
                Vec::new()
            }
            Event::Recognised { actor, presented, words } => self.on_recognised(now, actor, presented, words),
            Event::Speak { saying } => self.on_speak(saying),
            Event::SayingSigned { saying, result } => self.on_saying_signed(now, saying, result),
            Event::Spoke { saying, result } => self.on_spoke(now, saying, result.map(|spoken| *spoken)),
            Event::VerifyAsked => vec![Task::Verify],
            Event::Slept { span } => {
                self.world.slept = Some((now.wall, span));
                self.schedule.all_due();
                self.measuring.all_due();
                self.say(
                    now,
                    HappeningKind::Source,
                    None,
                    &format!("the machine slept for {} s; everything is read anew", span.as_secs()),
                    "clock",
                )
            }
            Event::Reloaded { result, actor } => self.on_reloaded(now, result, actor),
            Event::Woke
            | Event::Began { .. }
            | Event::Sending { .. }
            | Event::Answered { .. }
            | Event::Recorded { .. }
            | Event::Looked { .. }
            | Event::Adopted { .. }
            | Event::Signed { .. }
            | Event::Noted { .. } => Vec::new(),
        }
    }

    fn on_reloaded(&mut self, now: &Moment, result: Result<Arc<Catalog>, Text>, actor: Option<Actor>) -> Vec<Task> {
        match result {
            Err(trouble) => {
                self.world.config_trouble = Some(trouble.clone());
                self.touch(now);
                self.say(now, HappeningKind::Source, None, &format!("configuration refused, the old one stays: {trouble}"), "configuration")
            }
            Ok(catalog) => {
                let sources = world::sources(&catalog);
                for (name, source) in &sources {
                    let kept = self.world.sources.get(name).filter(|old| old.backend == source.backend).cloned();
                    self.world.sources.insert(name.clone(), kept.unwrap_or_else(|| source.clone()));
                }
                self.world.sources.retain(|name, _| sources.contains_key(name));
                let fresh = world::targets(&catalog);
                let old = std::mem::replace(&mut self.world.targets, fresh.clone());
                for (target, view) in old.iter().filter(|(target, _)| fresh.contains_key(*target)) {
                    self.world.targets.insert_mut(target.clone(), view.clone());
                }
                if let Some(actor) = actor {
                    self.world.actor = actor;
                }
                self.world.read_only = catalog.room.read_only;
                self.world.catalog = catalog;
                self.calendars_anew(now);
                self.objectives_anew();
                self.links_anew();
                self.asking.look_now();
                // How the new rules stand is read from the store at once; until then the newest known older ones count beside them.
                self.store_due = Boot(0);
                self.world.compare_rules(now);
                self.world.config_trouble = None;
                equip(&mut self.world, &self.abilities);
                self.touch(now);
                self.schedule.all_due();
                self.say(now, HappeningKind::Source, None, "configuration read again", "configuration")
            }
        }
    }

    /// The world changed in something that a screen could show.
    fn touch(&mut self, now: &Moment) {
        self.world.generation += 1;
        self.world.at = *now;
    }

    /// Backends of deeds under way are read soonest, those of what is looked at soon, the others at their interval.
    fn set_urgency(&mut self) {
        let hasty: BTreeSet<_> = self.machines.values().filter(|machine| machine.is_hasty()).flat_map(Machine::backends).collect();
        let looked = self.looking.as_ref().map(|target| self.world.catalog.backends_of(target)).unwrap_or_default();
        for backend in self.world.catalog.backends.keys() {
            let urgency = if hasty.contains(backend) {
                Urgency::Deed
            } else if looked.contains(backend) {
                Urgency::Looked
            } else {
                Urgency::Usual
            };
            self.schedule.urge(backend, urgency);
        }
    }

    fn polls(&mut self, now: &Moment) -> Vec<Task> {
        let catalog = self.world.catalog.clone();
        let supported = catalog.backends.values().filter(|backend| self.abilities.contains_key(&backend.name));
        let due = self.schedule.due(now.boot, supported);
        let detail: Vec<u64> = self.detail.into_iter().collect();
        due.into_iter()
            .filter_map(|(backend, seq)| {
                let query = asks::query(&self.world, &backend, &detail)?;
                Some(Task::Poll { backend, seq, query, deadline: POLL_WITHIN })
            })
            .collect()
    }

    fn on_following(&mut self, now: &Moment, backend: BackendName, log: u64, on: bool) {
        let key = (backend.clone(), log);
        if on {
            let one = self.following.entry(key.clone()).or_default();
            one.sessions += 1;
            one.due = Boot(0);
            let empty = crate::model::pipeline::LogPart { first: 0, lines: Vec::new(), total: 0, complete: false };
            self.world.logs.entry(key).or_insert_with(|| Arc::new(LogView { backend, log, part: empty, trouble: None }));
            self.touch(now);
            return;
        }
        let gone = self.following.get_mut(&key).is_none_or(|one| {
            one.sessions = one.sessions.saturating_sub(1);
            one.sessions == 0
        });
        if gone {
            self.following.remove(&key);
            self.world.logs.remove(&key);
            self.touch(now);
        }
    }

    fn logs(&mut self, now: &Moment) -> Vec<Task> {
        let mut tasks = Vec::new();
        for ((backend, log), one) in &mut self.following {
            if one.in_flight || now.boot < one.due {
                continue;
            }
            one.in_flight = true;
            let first = self.world.logs.get(&(backend.clone(), *log)).map_or(0, |view| view.part.first + view.part.lines.len() as u64);
            tasks.push(Task::ReadLog { backend: backend.clone(), log: *log, first });
        }
        tasks
    }
}

fn equip(world: &mut World, abilities: &BTreeMap<BackendName, (&'static [Capability], ByHand)>) {
    for (name, source) in &mut world.sources {
        let source = Arc::make_mut(source);
        match abilities.get(name) {
            Some((capabilities, by_hand)) => {
                source.capabilities = capabilities;
                source.by_hand = by_hand.clone();
            }
            None => source.fact = crate::control::world::SourceFact::Unsupported,
        }
    }
}
