//! The ten tasks: what is asked and by whom, the keys that answer it here, and the way there in other tools by their own documentation.

use super::worlds;
use crate::control::world::World;

/// One task.
pub struct Task {
    /// What somebody wants to know or do.
    pub asks: &'static str,
    /// Who asks it.
    pub who: &'static str,
    /// The world in which it is asked.
    pub world: fn() -> World,
    /// The keys from the board, with spaces between them; what is typed as text stands in quotes.
    pub keys: &'static str,
    /// The words on the glass that answer it.
    pub sees: &'static [&'static str],
    /// What the room was told to carry out or record; nothing where it was a question.
    pub done: &'static [&'static str],
    /// The way in k9s with what belongs to Argo Rollouts.
    pub k9s: Way,
    /// The way on GitHub's pages.
    pub github: Way,
}

/// The way to an answer in another tool.
pub struct Way {
    /// Keys and clicks, at least; none where its documentation tells no way.
    pub presses: Option<usize>,
    /// The way, in words.
    pub how: String,
    /// The pages that tell it, as digits of [`SOURCES`].
    pub source: &'static [usize],
}

/// Pages of documentation and files that say how the other tools are used, with what was read.
pub const SOURCES: [(&str, &str); 13] = [
    ("k9s, README: Key Bindings, Plugins", "github.com/derailed/k9s, README.md"),
    ("k9s, the plugin argo-rollouts: get, watch, promote, restart", "github.com/derailed/k9s, plugins/argo-rollouts.yaml"),
    ("Argo Rollouts, kubectl plugin: its commands", "argo-rollouts, docs/generated/kubectl-argo-rollouts/kubectl-argo-rollouts.md"),
    ("Argo Rollouts, Rollouts Abort", "argo-rollouts, docs/generated/kubectl-argo-rollouts/kubectl-argo-rollouts_abort.md"),
    ("Argo Rollouts, Rollouts Pause", "argo-rollouts, docs/generated/kubectl-argo-rollouts/kubectl-argo-rollouts_pause.md"),
    ("Argo Rollouts, UI Dashboard, and the source of its buttons", "argo-rollouts, docs/dashboard.md, ui/src/app/components"),
    ("Argo Rollouts, Analysis & Progressive Delivery", "argo-rollouts, docs/features/analysis.md"),
    ("GitHub Docs, Viewing workflow run history", "docs.github.com/en/actions"),
    ("GitHub Docs, Reviewing deployments", "docs.github.com/en/actions"),
    ("GitHub Docs, Re-running workflows and jobs", "docs.github.com/en/actions"),
    ("GitHub Docs, Using workflow run logs", "docs.github.com/en/actions"),
    ("GitHub Docs, Disabling and enabling a workflow", "docs.github.com/en/actions"),
    ("GitHub Docs, Viewing deployment history", "docs.github.com/en/actions"),
];

/// The presses of a line that is typed and sent.
fn line(typed: &str) -> usize {
    typed.chars().count() + 1
}

fn way(presses: usize, how: &str, source: &'static [usize]) -> Way {
    Way { presses: Some(presses), how: how.to_owned(), source }
}

fn not_there(how: &str, source: &'static [usize]) -> Way {
    Way { presses: None, how: format!("not there: {how}"), source }
}

/// The list of rollouts in k9s: `:ro` and Enter.
const LIST: usize = 4;

/// The ten.
pub fn tasks() -> [Task; 10] {
    [
        Task {
            asks: "Who approved what is rolling out on ledger?",
            who: "incident commander",
            world: worlds::ledger_rolls,
            keys: "down <ret>",
            sees: &["ledger@prod", "begun 13:52 by bo", "agreed to: rollout of bo by cy 13:49, dee 13:51"],
            done: &[],
            k9s: not_there("a Rollout names nobody who agreed, and no command of the plugin tells one", &[2, 3]),
            github: way(
                3,
                "Actions, the workflow, the run: in part. No page says that this run is what rolls out; who reviewed a run is documented \
                 for the REST API only",
                &[8, 9],
            ),
        },
        Task {
            asks: "Stop whatever just broke checkout.",
            who: "on-call engineer",
            world: worlds::broken,
            keys: "R <ret>",
            sees: &["ROLLBACK checkout@prod"],
            done: &["rollback checkout@prod"],
            k9s: way(
                line("kubectl argo rollouts dashboard") + 4,
                "the plugin for k9s has no abort. `kubectl argo rollouts dashboard` typed (32), its page, the rollout, ABORT, yes; or \
                 `kubectl argo rollouts abort checkout -n prod` typed (45). Neither says that this broke it, and the template still \
                 names the new version",
                &[2, 4, 6],
            ),
            github: way(
                6,
                "Actions, the workflow, the last good run, Re-run jobs, Re-run all jobs, Re-run jobs: it deploys the old commit once \
                 more, if the workflow is made so; pages know no traffic",
                &[10],
            ),
        },
        Task {
            asks: "If I do nothing: what happens to checkout by itself, and when?",
            who: "on-call engineer",
            world: worlds::judged,
            keys: "",
            sees: &["14:04:04", "BACK TO 2.4.1 BY ITSELF"],
            done: &[],
            k9s: way(LIST + 1, "`:ro` Enter, `g`: in part. The step and its pause; not what would send it back, nor when", &[1, 2]),
            github: not_there("pages show jobs and deployments, nothing that comes by itself", &[8, 13]),
        },
        Task {
            asks: "Is the new version worse than the old one, by how much, of how many requests?",
            who: "release captain",
            world: worlds::judged,
            keys: "<ret>",
            sees: &["27 of 1,281", "+1.7 (0.9 to 2.5)", "WORSE"],
            done: &[],
            k9s: way(
                LIST + 1,
                "`:ro` Enter, `g`: in part. Passed and failed measurements of an analysis; an old version beside it only where the \
                 template asks for one",
                &[1, 2, 7],
            ),
            github: not_there("pages show no measurements of what was deployed", &[13]),
        },
        Task {
            asks: "Let the change that waits for me go ahead.",
            who: "release captain",
            world: worlds::waits,
            keys: "a <ret>",
            sees: &["APPROVE plan"],
            done: &["approve by cy"],
            k9s: way(LIST + 2, "`:ro` Enter, `p`, yes: a promotion by one alone; nobody else is asked", &[1, 2]),
            github: way(6, "Actions, the workflow, the run, Review deployments, the environment, Approve and deploy", &[8, 9]),
        },
        Task {
            asks: "Why did the last build of checkout fail?",
            who: "on-call engineer",
            world: worlds::build_failed,
            keys: "2 l",
            sees: &["build failed 2m10  2 of 1,204 tests failed", "line 2: copying layer"],
            done: &[],
            k9s: not_there("builds run elsewhere", &[2]),
            github: way(4, "Actions, the workflow, the run, the job: its failed step stands open", &[8, 11]),
        },
        Task {
            asks: "Run again only what failed in it.",
            who: "release captain",
            world: worlds::build_failed,
            keys: "2 ctrl-r <ret>",
            sees: &["RETRY checkout@prod"],
            done: &["retry checkout@prod"],
            k9s: not_there("builds run elsewhere", &[2]),
            github: way(6, "Actions, the workflow, the run, Re-run jobs, Re-run failed jobs, Re-run jobs", &[10]),
        },
        Task {
            asks: "Stop the line: nothing of prod goes forward.",
            who: "incident commander",
            world: worlds::broken,
            keys: ": 'stop' <ret> <ret>",
            sees: &["HOLD *@prod"],
            done: &["hold checkout@prod", "hold ledger@prod", "hold mail@prod", "hold search@prod"],
            k9s: way(
                ["checkout", "ledger", "mail", "search"]
                    .map(|name| line(&format!("kubectl argo rollouts pause {name} -n prod")))
                    .iter()
                    .sum(),
                "by hand in four places: the plugin for k9s has no pause; `kubectl argo rollouts pause NAME -n prod` typed for each",
                &[2, 5],
            ),
            github: way(
                1 + 3 * 4,
                "by hand in four places: Actions, then for each of four workflows: the workflow, its menu, Disable workflow; what runs \
                 goes on",
                &[12],
            ),
        },
        Task {
            asks: "What happened to checkout, and who did what, before the alert fired?",
            who: "incident commander",
            world: worlds::broken,
            keys: "5",
            sees: &["14:01:50 ! CheckoutErrors fires", "13:59:01 > shift INTENDED", "rollout of 2.5.0 begins"],
            done: &[],
            k9s: way(LIST + 1, "`:ro` Enter, `d`: in part. Events of the object; no person, no alert", &[1]),
            github: way(2, "Deployments, the environment: in part. Deployments and their commits; no traffic, no alert", &[13]),
        },
        Task {
            asks: "May we release to prod today: which window is open, when does the next freeze begin?",
            who: "release captain",
            world: worlds::windows,
            keys: "6",
            sees: &["window office is open until", "next freeze black-week"],
            done: &[],
            k9s: not_there("a Rollout knows no windows", &[3]),
            github: not_there("an environment's rules are reviewers, a wait, branches; no calendar", &[9]),
        },
    ]
}
