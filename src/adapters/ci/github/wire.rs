//! What GitHub's REST API answers, field by field: all but identities may be missing or of another type than documented.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A field that is taken when it has the expected type, and is as if missing when it has another.
fn lenient<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}

/// `/actions/workflows/{file}/runs`.
#[derive(Debug, Deserialize)]
pub struct Runs {
    pub workflow_runs: Vec<Run>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[expect(clippy::struct_field_names, reason = "GitHub's own names")]
pub struct Run {
    pub id: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub run_number: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub run_attempt: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub workflow_id: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub display_title: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub path: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub event: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub conclusion: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub head_branch: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub head_sha: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub actor: Option<User>,
    #[serde(default, deserialize_with = "lenient")]
    pub triggering_actor: Option<User>,
    #[serde(default, deserialize_with = "lenient")]
    pub created_at: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub run_started_at: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub updated_at: Option<String>,
}

/// An account, a team (`slug`) or an app.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct User {
    #[serde(default, deserialize_with = "lenient")]
    pub login: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub slug: Option<String>,
}

/// `/actions/runs/{id}/jobs`.
#[derive(Debug, Deserialize)]
pub struct Jobs {
    pub jobs: Vec<Job>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Job {
    pub id: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub conclusion: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub created_at: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub started_at: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub completed_at: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub runner_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub steps: Option<Vec<Step>>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Step {
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub conclusion: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub started_at: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub completed_at: Option<String>,
}

/// `/contents/{path}`.
#[derive(Debug, Deserialize)]
pub struct Contents {
    #[serde(default, deserialize_with = "lenient")]
    pub encoding: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub content: Option<String>,
}

/// One of `/actions/runs/{id}/pending_deployments`.
#[derive(Debug, Deserialize)]
pub struct PendingDeployment {
    pub environment: NamedId,
    #[serde(default, deserialize_with = "lenient")]
    pub wait_timer: Option<u32>,
    #[serde(default, deserialize_with = "lenient")]
    pub wait_timer_started_at: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub current_user_can_approve: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub reviewers: Option<Vec<Reviewer>>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct NamedId {
    pub id: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Reviewer {
    #[serde(default, deserialize_with = "lenient")]
    pub reviewer: Option<User>,
}

/// One of `/actions/runs/{id}/approvals`.
#[derive(Debug, Deserialize)]
pub struct Approval {
    #[serde(default, deserialize_with = "lenient")]
    pub environments: Option<Vec<NamedId>>,
    #[serde(default, deserialize_with = "lenient")]
    pub state: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub user: Option<User>,
    #[serde(default, deserialize_with = "lenient")]
    pub comment: Option<String>,
}

/// `/compare/{base}...{head}`.
#[derive(Debug, Deserialize)]
pub struct Comparison {
    pub status: String,
    pub total_commits: u64,
    pub commits: Vec<Commit>,
    pub base_commit: Sha,
    pub merge_base_commit: Sha,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Sha {
    pub sha: String,
}

/// A commit with the accounts that GitHub found for its names.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_field_names, reason = "GitHub's own names")]
pub struct Commit {
    pub sha: String,
    pub commit: GitCommit,
    #[serde(default, deserialize_with = "lenient")]
    pub author: Option<User>,
    #[serde(default, deserialize_with = "lenient")]
    pub committer: Option<User>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct GitCommit {
    #[serde(default, deserialize_with = "lenient")]
    pub author: Option<GitUser>,
    #[serde(default, deserialize_with = "lenient")]
    pub committer: Option<GitUser>,
    pub message: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct GitUser {
    #[serde(default, deserialize_with = "lenient")]
    pub email: Option<String>,
}

/// One of `/commits/{sha}/pulls`.
#[derive(Debug, Clone, Deserialize)]
pub struct Pull {
    pub number: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub merged_at: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub merge_commit_sha: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub user: Option<User>,
    pub head: Sha,
}

/// One of `/pulls/{n}/reviews`.
#[derive(Debug, Deserialize)]
pub struct Review {
    #[serde(default, deserialize_with = "lenient")]
    pub user: Option<User>,
    #[serde(default, deserialize_with = "lenient")]
    pub state: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub commit_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub submitted_at: Option<String>,
}

/// `/environments/{name}`.
#[derive(Debug, Deserialize)]
pub struct Environment {
    pub id: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub protection_rules: Option<Vec<Rule>>,
}

#[derive(Debug, Deserialize)]
pub struct Rule {
    #[serde(default, rename = "type", deserialize_with = "lenient")]
    pub kind: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub wait_timer: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub prevent_self_review: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub reviewers: Option<Vec<Reviewer>>,
}

/// One of `/deployments`.
#[derive(Debug, Deserialize)]
pub struct Deployment {
    pub id: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub sha: Option<String>,
    #[serde(default, rename = "ref", deserialize_with = "lenient")]
    pub branch: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub environment: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub creator: Option<User>,
    #[serde(default, deserialize_with = "lenient")]
    pub created_at: Option<String>,
}

/// One of `/deployments/{id}/statuses`.
#[derive(Debug, Deserialize)]
pub struct DeploymentStatus {
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub state: Option<String>,
}
