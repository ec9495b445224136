//! The running judgements of rollouts: fed by answers, kept by whoever conducts, and gone on with after a restart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Room;
use crate::analysis::trial::{Trial, TrialStanding};
use crate::control::derive;
use crate::control::kept;
use crate::control::task::Task;
use crate::model::kept::{Anew, KeptTrial};
use crate::model::name::{BackendName, PlanId, Target};
use crate::model::rollout::Rollout;
use crate::model::signal::Answer;
use crate::model::slot::Track;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::model::timeline::HappeningKind;
use crate::model::trial::TrialRules;

/// How often a judgement is kept. Answers look back further, so that a restart within that loses no interval.
const KEPT_EVERY: Duration = Duration::from_secs(10);
/// For so long nothing is judged before what was kept is known.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);

/// What was kept when this process began.
#[derive(Debug, Clone, Default)]
pub(super) enum Kept {
    /// It was not read yet.
    #[default]
    Unread,
    /// It was read; what is gone on with is taken out.
    Read(BTreeMap<Target, KeptTrial>),
    /// It could not be read, and why.
    Lost(Text),
}

/// The judgement of one rollout.
#[derive(Debug, Clone, Default)]
pub(super) struct Trying {
    /// By the plan that started it, and what follows from it.
    of: Option<(PlanId, Trial, Arc<TrialStanding>)>,
    /// Where it began anew.
    anew: Option<Anew>,
    /// When it was kept last.
    kept: Option<Boot>,
    /// What was kept could not be gone on with, so that this stands over it.
    over: bool,
}

impl Trying {
    /// What follows from the judgement of a rollout, and whether it began anew.
    pub(super) fn stands(&self, rollout: PlanId) -> (Option<Arc<TrialStanding>>, Option<Anew>) {
        let of = self.of.as_ref().filter(|(of, ..)| *of == rollout);
        (of.map(|(.., standing)| standing.clone()), of.and(self.anew.clone()))
    }
}

impl Room {
    /// What was kept of judgements was read, or could not be.
    pub(super) fn on_kept(&mut self, trials: Result<Vec<KeptTrial>, Text>) {
        if let Kept::Unread = self.walks.kept {
            self.walks.kept = match trials {
                Ok(trials) => Kept::Read(trials.into_iter().map(|kept| (kept.target.clone(), kept)).collect()),
                Err(why) => Kept::Lost(why),
            };
        }
    }

    /// Answers about the signals of a target: the trial of its rollout takes them in.
    pub(super) fn try_canary(&mut self, now: &Moment, target: &Target, backend: &BackendName, answers: &[&Answer]) -> Vec<Task> {
        let (catalog, view) = (self.world.catalog.clone(), self.world.targets.get(target).cloned());
        let (Some(service), Some(view)) = (catalog.services.get(&target.service), view) else { return Vec::new() };
        let Some((plan, rollout)) = view.state.rollout.as_ref().and_then(|rollout| Some((rollout.plan?, rollout))) else {
            return Vec::new();
        };
        let Some(trying) = self.walks.trying_at(target) else { return Vec::new() };
        let mut tasks = Vec::new();
        let known = trying.of.take().filter(|(of, ..)| *of == plan).map(|(_, trial, _)| trial);
        let mut trial = match known {
            Some(trial) => trial,
            None => match self.begun_trial(now, target, (plan, rollout), TrialRules::of_service(service)) {
                Some((trial, told)) => {
                    tasks = told;
                    trial
                }
                None => return Vec::new(),
            },
        };
        for signal in service.signals.iter().filter(|signal| &signal.backend == backend) {
            let raw = |track: Track| derive::signals::raw(signal, answers, track.slot(view.state.stable));
            trial.take(&signal.name, raw(Track::Stable), raw(Track::Canary));
        }
        // Samples bear the backend's time.
        let skew = self.world.sources.get(backend).and_then(|source| source.skew_ms).unwrap_or(0);
        let standing = Arc::new(trial.standing(now.wall + chrono::TimeDelta::milliseconds(skew)));
        let keeps = self.conducts && !self.world.read_only;
        let Some(trying) = self.walks.trying_at(target) else { return tasks };
        if keeps && trial.pairs() > 0 && trying.kept.is_none_or(|at| now.boot.since(at) >= KEPT_EVERY) {
            trying.kept = Some(now.boot);
            let kept = kept::of(target, plan, &trial, now.wall).map(Box::new);
            tasks.extend(kept.map(|kept| Task::KeepTrial { kept, over: std::mem::take(&mut trying.over) }));
        }
        trying.of = Some((plan, trial, standing));
        tasks
    }

    /// The judgement that begins here: what was kept of it, else one of which nothing was seen. None while it is not known what was kept.
    fn begun_trial(
        &mut self,
        now: &Moment,
        target: &Target,
        (plan, rollout): (PlanId, &Rollout),
        rules: TrialRules,
    ) -> Option<(Trial, Vec<Task>)> {
        if matches!(self.walks.kept, Kept::Unread) && now.boot.since(self.world.opened.boot) < KNOWN_WITHIN {
            return None;
        }
        let mut over = false;
        let why = match &mut self.walks.kept {
            Kept::Read(trials) => match trials.remove(target).filter(|kept| kept.rollout == plan) {
                // Nobody judged it before.
                None => None,
                Some(kept) => match kept::restored(&kept, &rules, now.wall) {
                    Ok(trial) => return Some((trial, Vec::new())),
                    Err(why) => {
                        over = true;
                        Some(Text::clean(why))
                    }
                },
            },
            Kept::Unread => Some(Text::clean("what was kept of it was not read in time")),
            Kept::Lost(why) => Some(why.clone()),
        };
        // Of a rollout that is younger than this process nothing was kept by another.
        let anew = why.filter(|_| rollout.begun < self.world.opened.wall).map(|why| Anew { at: now.wall, why });
        let told = anew.as_ref().map(|anew| format!("judgement begun anew after a restart: {}", anew.why));
        let tasks = told.map(|words| self.say(now, HappeningKind::Change, Some(target.clone()), &words, "judge"));
        if let Some(trying) = self.walks.trying_at(target) {
            *trying = Trying { anew, over, ..Trying::default() };
        }
        Some((Trial::new(rules), tasks.unwrap_or_default()))
    }
}
