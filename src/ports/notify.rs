//! The port to receivers of notices: webhooks.

use chrono::{DateTime, Utc};

use super::pending::Pending;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::outbox::Notice;

/// Why a notice was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// The receiver understood and refused: the same would be refused again.
    #[error("{0}")]
    Refused(PortError),
    /// The receiver refused, and its protocol forbids to try the same again.
    #[error("{0}")]
    Final(PortError),
    /// It may be taken later.
    #[error("{0}")]
    Later(PortError),
}

impl NotifyError {
    /// The failure itself.
    pub fn port(&self) -> &PortError {
        match self {
            Self::Refused(error) | Self::Final(error) | Self::Later(error) => error,
        }
    }

    /// When the receiver asked to be tried again.
    pub fn until(&self) -> Option<DateTime<Utc>> {
        match &self.port().kind {
            PortErrorKind::RateLimited { until } => *until,
            PortErrorKind::Unreachable
            | PortErrorKind::TimedOut
            | PortErrorKind::Unauthorised
            | PortErrorKind::Forbidden
            | PortErrorKind::NotFound
            | PortErrorKind::Conflict
            | PortErrorKind::Unsupported
            | PortErrorKind::Malformed
            | PortErrorKind::Refused => None,
        }
    }
}

/// A receiver. It may be told the same notice twice and knows it again by its id.
pub trait Notify: Send + Sync {
    /// Tells it one notice, bounded in time, without any try of its own.
    fn tell<'a>(&'a self, notice: &'a Notice) -> Pending<'a, Result<(), NotifyError>>;
}

/// Stands in for a receiver that could not be made, and says why each time.
#[derive(Debug, Clone)]
pub struct Unmade(pub PortError);

impl Notify for Unmade {
    fn tell<'a>(&'a self, _: &'a Notice) -> Pending<'a, Result<(), NotifyError>> {
        Box::pin(std::future::ready(Err(NotifyError::Later(self.0.clone()))))
    }
}
