//! Authorship: what is known of who made what a plan brings, bound to the commits between the version that runs and the one on trial.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::catalog::BackendKind;
use super::name::BackendName;
use super::origin::{Authors, Range};
use super::text::Text;

/// Two versions of a repository, between which somebody made something. Each is a commit, a tag or a branch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The backend that keeps the repository.
    pub backend: BackendName,
    /// The repository.
    pub repository: String,
    /// What runs.
    pub from: String,
    /// The candidate.
    pub to: String,
}

/// What is known of who made what a plan brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authorship {
    /// Nothing lies between: the same version is in both places.
    Nothing,
    /// What lies between was read, whole or not.
    Read {
        /// The kind of backend, by which accounts belong to persons.
        kind: BackendKind,
        /// What was asked.
        span: Span,
        /// What was told.
        range: Range,
    },
    /// It was not read.
    NotRead {
        /// What is to be asked, when that is known.
        span: Option<Span>,
        /// Why not.
        why: Text,
        /// What would change it.
        fix: Text,
    },
}

impl Authorship {
    /// It was not read, and why.
    pub fn not_read(span: Option<Span>, why: &str, fix: &str) -> Self {
        Self::NotRead { span, why: Text::clean_within(why, 400), fix: Text::clean_within(fix, 400) }
    }

    /// What was asked, or is to be.
    pub fn span(&self) -> Option<&Span> {
        match self {
            Self::Nothing => None,
            Self::Read { span, .. } => Some(span),
            Self::NotRead { span, .. } => span.as_ref(),
        }
    }

    /// SHA-256 in lower-case hexadecimal over the RFC 8785 form of what was read: the commits and everybody who made them. None when
    /// nothing was read. An approval binds to it: another range, or another author of the same one, is another digest.
    pub fn digest(&self) -> Option<String> {
        match self {
            Self::NotRead { .. } => None,
            Self::Nothing | Self::Read { .. } => {
                let bytes = serde_json_canonicalizer::to_vec(self).ok()?;
                Some(Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
            }
        }
    }

    /// The range in words: `3 commits a1b2c3d..d4e5f6a`.
    pub fn range_words(&self) -> String {
        let short = |text: &str| text.get(..7).unwrap_or(text).to_owned();
        match self {
            Self::Nothing => "the same version is in both slots, nothing lies between".to_owned(),
            Self::NotRead { span: None, .. } => "between versions that are not known".to_owned(),
            Self::NotRead { span: Some(span), .. } => format!("between {} and {}", span.from, span.to),
            Self::Read { span, range, .. } if range.to.is_empty() => format!("between {} and {}", span.from, span.to),
            Self::Read { range, .. } => {
                let commits = if range.commits == 1 { "1 commit".to_owned() } else { format!("{} commits", range.commits) };
                format!("{commits} {}..{}", short(range.from.as_str()), short(range.to.as_str()))
            }
        }
    }

    /// Everything in one line: who by the identities that were told, or why not everybody is known, and between which commits.
    pub fn said(&self) -> String {
        let range = self.range_words();
        if let Some(why) = self.why_unknown() {
            return format!("not known, {range}: {why}");
        }
        let Self::Read { range: Range { authors: Authors::Known(all), .. }, .. } = self else { return range };
        let names: Vec<String> = all.iter().map(ToString::to_string).collect();
        format!("{}: {range}", if names.is_empty() { "nobody".to_owned() } else { names.join(", ") })
    }

    /// Why not everybody is known, where that is so.
    pub fn why_unknown(&self) -> Option<&Text> {
        match self {
            Self::Nothing => None,
            Self::Read { range, .. } => match &range.authors {
                Authors::Known(_) => None,
                Authors::Unknown(why) => Some(why),
            },
            Self::NotRead { why, .. } => Some(why),
        }
    }
}
