//! A ticket: the number under which a change is known in a change-management system.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::text::Text;

/// The most characters of a ticket.
pub const LONGEST: usize = 64;

/// Why a ticket was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no ticket; expected such as CHG0030001 or JIRA-12: at most {LONGEST} letters, digits, `-`, `_`, `.`, `#`, `/`, a letter or digit first"
)]
pub struct TicketError(Text);

/// Such as `CHG0030001`, `JIRA-12`, `acme/shop#7`: one word that is safe in a table, a path of an address and a shell.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ticket(Arc<str>);

impl Ticket {
    /// Checks and makes a ticket.
    ///
    /// # Errors
    /// When it is empty, too long, begins with a sign, or holds a character that a ticket may not hold.
    pub fn new(raw: &str) -> Result<Self, TicketError> {
        let begins = raw.chars().next().is_some_and(|first| first.is_ascii_alphanumeric());
        let fits = raw.len() <= LONGEST && raw.chars().all(|c| c.is_ascii_alphanumeric() || "-_.#/".contains(c));
        if begins && fits { Ok(Self(Arc::from(raw))) } else { Err(TicketError(Text::clean_within(raw, LONGEST))) }
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Ticket {
    type Error = TicketError;
    fn try_from(raw: String) -> Result<Self, TicketError> {
        Self::new(&raw)
    }
}

impl From<Ticket> for String {
    fn from(ticket: Ticket) -> Self {
        ticket.0.as_ref().to_owned()
    }
}

impl FromStr for Ticket {
    type Err = TicketError;
    fn from_str(raw: &str) -> Result<Self, TicketError> {
        Self::new(raw)
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_one_word_that_begins_with_a_letter_or_digit() {
        for right in ["CHG0030001", "JIRA-12", "acme/shop#7", "7", &"A".repeat(LONGEST)] {
            assert_eq!(Ticket::new(right).map(String::from).as_deref(), Ok(right));
        }
        for wrong in ["", "-x", "=1+1", "@x", "#7", "a b", "a\nb", "CHG\u{202e}1", "ü", "a,b", "a\"b", &"A".repeat(LONGEST + 1)] {
            assert!(Ticket::new(wrong).is_err(), "{wrong}");
        }
    }
}
