//! Where changes come from: comparisons, commits, pull requests with their reviews, environments and deployments.

use std::collections::BTreeSet;

use super::{Github, PAGE, authors, translate, wire};
use crate::adapters::http::segment;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::origin::{Authors, Deployment, Guard, Identity, Opinion, Range, Review};
use crate::model::text::Text;
use crate::ports::Pending;
use crate::ports::source::Source;

/// The most commits that GitHub lists of a range or of a pull request.
const MOST_COMMITS: u64 = 250;
/// The most pull requests of one range whose commits are read.
const MOST_PULLS: usize = 50;
/// The most pages of reviews of a pull request.
const MOST_PAGES: usize = 10;
/// The most deployments that are read with their states.
const MOST_DEPLOYMENTS: u32 = 20;

/// Commits between two versions, or why they are not all there.
struct Between {
    from: String,
    to: String,
    total: u64,
    commits: Result<Vec<wire::Commit>, String>,
}

/// Why not everybody can be told: words for the reading, or a failure of the reading itself.
enum Short {
    Words(String),
    Fault(PortError),
}

impl From<PortError> for Short {
    fn from(error: PortError) -> Self {
        Self::Fault(error)
    }
}

impl Github {
    async fn read_authors(&self, repository: &str, from: &str, to: &str) -> Result<Range, PortError> {
        let unknown = |why: &str| Authors::Unknown(Text::clean_within(why, 400));
        let Some(mut between) = self.between(repository, from, to).await? else {
            let why = format!("{from} or {to} is not in {repository}: it may have been rewritten");
            return Ok(Range { from: Text::empty(), to: Text::empty(), commits: 0, authors: unknown(&why) });
        };
        let commits = std::mem::replace(&mut between.commits, Ok(Vec::new()));
        let authors = match commits {
            Err(why) => unknown(&why),
            Ok(commits) => match self.everybody(repository, &commits).await {
                Ok(all) => Authors::Known(all),
                Err(Short::Words(why)) => unknown(&why),
                Err(Short::Fault(error)) => return Err(error),
            },
        };
        Ok(Range { from: Text::clean_within(&between.from, 80), to: Text::clean_within(&between.to, 80), commits: between.total, authors })
    }

    /// The commits between two versions, whichever is the newer; none when one of them is not there.
    async fn between(&self, repository: &str, from: &str, to: &str) -> Result<Option<Between>, PortError> {
        let Some(forward) = self.compare(repository, from, to).await? else { return Ok(None) };
        match forward.1.as_str() {
            "ahead" | "identical" => Ok(Some(forward.0)),
            "behind" => {
                // The way back: what is taken away was made by somebody too.
                let Some((back, status)) = self.compare(repository, to, from).await? else { return Ok(None) };
                let commits = if status == "ahead" { back.commits } else { Err(moved(from, to)) };
                Ok(Some(Between { from: back.to, to: back.from, total: back.total, commits }))
            }
            _ => {
                let why = format!("{from} is no ancestor of {to}: history was rewritten between them, or they are on two branches");
                Ok(Some(Between { commits: Err(why), ..forward.0 }))
            }
        }
    }

    async fn compare(&self, repository: &str, from: &str, to: &str) -> Result<Option<(Between, String)>, PortError> {
        let doing = "read what lies between two versions";
        let path = format!("{}/compare/{}...{}", self.repository(doing, repository)?, segment(from), segment(to));
        let (most, mut commits) = (PAGE.to_string(), Vec::new());
        let mut first: Option<wire::Comparison> = None;
        for page in 1..=MOST_COMMITS.div_ceil(PAGE as u64) {
            let number = page.to_string();
            let read = self.get::<wire::Comparison>(doing, &path, &[("per_page", &most), ("page", &number)]).await;
            let (mut read, answer) = match read {
                Ok(read) => read,
                Err(error) if error.kind == PortErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            commits.append(&mut read.commits);
            let same = |first: &wire::Comparison| {
                (&first.status, first.total_commits, &first.base_commit.sha) == (&read.status, read.total_commits, &read.base_commit.sha)
            };
            let is_same = first.as_ref().is_none_or(same);
            let (status, total) = (read.status.clone(), read.total_commits);
            let first = first.get_or_insert(read);
            if !is_same {
                let between = Between { from: first.base_commit.sha.clone(), to: String::new(), total, commits: Err(moved(from, to)) };
                return Ok(Some((between, status)));
            }
            if !answer.more || total > MOST_COMMITS {
                break;
            }
        }
        let Some(first) = first else { return Ok(None) };
        let (base, total) = (first.base_commit.sha, first.total_commits);
        let newest = commits.last().map_or_else(|| first.merge_base_commit.sha.clone(), |commit| commit.sha.clone());
        let distinct = commits.iter().map(|commit| commit.sha.as_str()).collect::<BTreeSet<_>>().len() as u64;
        let commits = if total > MOST_COMMITS {
            Err(format!("{total} commits lie between {from} and {to}, GitHub lists {MOST_COMMITS}"))
        } else if distinct == total {
            Ok(commits)
        } else {
            Err(format!("GitHub listed {distinct} of {total} commits between {from} and {to}"))
        };
        Ok(Some((Between { from: base, to: newest, total, commits }, first.status)))
    }

    /// Everybody who made these commits, or a pull request behind them: a squash hides whose commits it took in.
    async fn everybody(&self, repository: &str, commits: &[wire::Commit]) -> Result<BTreeSet<Identity>, Short> {
        let (mut all, mut covered, mut pulls) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for commit in commits {
            authors::add(commit, &mut all).map_err(Short::Words)?;
        }
        // The newest first: a merge covers the commits that it brought.
        for commit in commits.iter().rev() {
            if covered.contains(&commit.sha) {
                continue;
            }
            for pull in self.pulls_of(repository, &commit.sha).await? {
                if !pulls.insert(pull.number) {
                    continue;
                }
                if pulls.len() > MOST_PULLS {
                    return Err(Short::Words(format!("more than {MOST_PULLS} pull requests lie in between")));
                }
                let login = pull.user.as_ref().and_then(|user| user.login.as_deref());
                let login = login.ok_or_else(|| Short::Words(format!("who opened pull request {} is gone", pull.number)))?;
                all.insert(authors::identity(Some(login), None));
                for commit in self.pull_commits(repository, pull.number).await? {
                    authors::add(&commit, &mut all).map_err(Short::Words)?;
                    covered.insert(commit.sha);
                }
                covered.extend(pull.merge_commit_sha);
            }
        }
        Ok(all)
    }

    /// The merged pull requests that brought a commit.
    async fn pulls_of(&self, repository: &str, commit: &str) -> Result<Vec<wire::Pull>, Short> {
        let doing = "read the pull requests of a commit";
        let path = format!("{}/commits/{}/pulls", self.repository(doing, repository)?, segment(commit));
        let (mut pulls, is_cut) = self.get_all::<wire::Pull>(doing, &path, 1).await?;
        if is_cut {
            return Err(Short::Words(format!("more than {PAGE} pull requests hold {commit}")));
        }
        pulls.retain(|pull| pull.merged_at.is_some());
        Ok(pulls)
    }

    async fn pull_commits(&self, repository: &str, pull: u64) -> Result<Vec<wire::Commit>, Short> {
        let doing = "read the commits of a pull request";
        let path = format!("{}/pulls/{pull}/commits", self.repository(doing, repository)?);
        let (commits, is_cut) = self.get_all::<wire::Commit>(doing, &path, 3).await?;
        if is_cut || commits.len() as u64 >= MOST_COMMITS {
            return Err(Short::Words(format!("pull request {pull} has {MOST_COMMITS} commits or more, GitHub lists no further")));
        }
        Ok(commits)
    }

    async fn read_reviews(&self, repository: &str, revision: &str) -> Result<Vec<Review>, PortError> {
        let doing = "read reviews";
        let pulls = self.pulls_of(repository, revision).await.map_err(|short| match short {
            Short::Fault(error) => error,
            Short::Words(why) => self.fault(PortErrorKind::Malformed, doing, &why),
        })?;
        let mut reviews = Vec::new();
        for pull in pulls {
            let path = format!("{}/pulls/{}/reviews", self.repository(doing, repository)?, pull.number);
            let (told, is_cut) = self.get_all::<wire::Review>(doing, &path, MOST_PAGES).await?;
            if is_cut {
                return Err(self.fault(PortErrorKind::Malformed, doing, &format!("pull request {} has too many to read", pull.number)));
            }
            // What was not submitted is seen by its writer alone.
            let said = told.iter().filter(|review| review.state.as_deref() != Some("PENDING"));
            reviews.extend(said.map(|review| Review {
                proposal: pull.number,
                by: translate::account(review.user.as_ref()),
                opinion: opinion(review.state.as_deref()),
                revision: translate::short(review.commit_id.as_deref()),
                is_current: review.commit_id.as_deref() == Some(pull.head.sha.as_str()),
                at: translate::date(review.submitted_at.as_deref()),
            }));
        }
        Ok(reviews)
    }

    async fn read_guard(&self, repository: &str, environment: &str) -> Result<Option<Guard>, PortError> {
        let doing = "read what protects an environment";
        let path = format!("{}/environments/{}", self.repository(doing, repository)?, segment(environment));
        let read = self.get_one::<wire::Environment>(doing, &path, &[]).await?;
        Ok(read.map(|told| guard(&told)))
    }

    async fn read_deployments(&self, repository: &str, environment: &str, most: u32) -> Result<Vec<Deployment>, PortError> {
        let doing = "read deployments";
        let path = format!("{}/deployments", self.repository(doing, repository)?);
        let most = most.clamp(1, MOST_DEPLOYMENTS).to_string();
        let query = [("environment", environment), ("per_page", most.as_str())];
        let (mut told, _) = self.get::<Vec<wire::Deployment>>(doing, &path, &query).await?;
        told.sort_by_key(|one| std::cmp::Reverse(one.id));
        let mut deployments = Vec::new();
        for one in told {
            // A deployment has no state of its own: its newest status is it.
            let path = format!("{path}/{}/statuses", one.id);
            let states = self.get_one::<Vec<wire::DeploymentStatus>>(doing, &path, &[("per_page", "100")]).await?.unwrap_or_default();
            let newest = states.iter().max_by_key(|status| status.id);
            deployments.push(Deployment {
                id: one.id,
                revision: translate::short(one.sha.as_deref()),
                branch: translate::short(one.branch.as_deref()),
                environment: translate::short(one.environment.as_deref()),
                by: translate::account(one.creator.as_ref()),
                at: translate::date(one.created_at.as_deref()),
                state: translate::short(newest.and_then(|status| status.state.as_deref())),
            });
        }
        Ok(deployments)
    }
}

fn moved(from: &str, to: &str) -> String {
    format!("{from} or {to} moved while what lies between was read")
}

fn opinion(state: Option<&str>) -> Opinion {
    match state {
        Some("APPROVED") => Opinion::Approved,
        Some("CHANGES_REQUESTED") => Opinion::ChangesRequested,
        Some("COMMENTED") => Opinion::Commented,
        Some("DISMISSED") => Opinion::Dismissed,
        Some(_) | None => Opinion::Other,
    }
}

fn guard(told: &wire::Environment) -> Guard {
    let mut guard = Guard {
        id: told.id,
        name: translate::short(told.name.as_deref()),
        wait_minutes: None,
        reviewers: Vec::new(),
        prevents_self_review: false,
        limits_branches: false,
        other_rules: Vec::new(),
    };
    for rule in told.protection_rules.as_deref().unwrap_or_default().iter().take(100) {
        match rule.kind.as_deref() {
            Some("wait_timer") => guard.wait_minutes = rule.wait_timer,
            Some("required_reviewers") => {
                guard.reviewers = translate::reviewers(rule.reviewers.as_deref());
                guard.prevents_self_review = rule.prevent_self_review == Some(true);
            }
            Some("branch_policy") => guard.limits_branches = true,
            other => guard.other_rules.push(translate::short(Some(other.unwrap_or("of no kind")))),
        }
    }
    guard
}

impl Source for Github {
    fn authors<'a>(&'a self, repository: &'a str, from: &'a str, to: &'a str) -> Pending<'a, Result<Range, PortError>> {
        Box::pin(self.read_authors(repository, from, to))
    }

    fn reviews<'a>(&'a self, repository: &'a str, revision: &'a str) -> Pending<'a, Result<Vec<Review>, PortError>> {
        Box::pin(self.read_reviews(repository, revision))
    }

    fn guard<'a>(&'a self, repository: &'a str, environment: &'a str) -> Pending<'a, Result<Option<Guard>, PortError>> {
        Box::pin(self.read_guard(repository, environment))
    }

    fn deployments<'a>(&'a self, repository: &'a str, environment: &'a str, most: u32) -> Pending<'a, Result<Vec<Deployment>, PortError>> {
        Box::pin(self.read_deployments(repository, environment, most))
    }
}
