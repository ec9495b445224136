//! How we say who we are: nothing, a bearer token, or a user with a password.

use base64ct::{Base64, Encoding as _};
use reqwest::header::HeaderValue;

use crate::config::secret::Secret;
use crate::config::withheld::Withheld;

/// What is sent as `Authorization`. It has no printable form beyond its kind.
#[derive(Debug, Clone, Default)]
pub enum Credential {
    /// Nothing is sent.
    #[default]
    Nothing,
    /// A bearer token.
    Bearer(Secret),
    /// A token that stands alone, as Unleash takes it.
    Bare(Secret),
    /// A user and a password.
    Basic(String, Secret),
}

impl Credential {
    /// From resolved secrets; a token goes before a user.
    pub fn of(token: Option<Secret>, basic: Option<(String, Secret)>) -> Self {
        match (token, basic) {
            (Some(token), _) => Self::Bearer(token),
            (None, Some((user, password))) => Self::Basic(user, password),
            (None, None) => Self::Nothing,
        }
    }

    /// What must be taken out of a backend's words.
    pub(super) fn withheld(&self) -> Withheld {
        let line = |secret: &Secret| secret.expose().trim_end_matches(['\r', '\n']).to_owned();
        match self {
            Self::Nothing => Withheld::default(),
            Self::Bearer(token) | Self::Bare(token) => Withheld::token(&line(token)),
            Self::Basic(user, password) => Withheld::basic(user, &line(password)),
        }
    }

    /// The header's value, marked as sensitive; an error when the secret holds what no header may hold.
    pub(super) fn header(&self) -> Result<Option<HeaderValue>, &'static str> {
        let text = match self {
            Self::Nothing => return Ok(None),
            Self::Bearer(token) => format!("Bearer {}", token.expose().trim_end_matches(['\r', '\n'])),
            Self::Bare(token) => token.expose().trim_end_matches(['\r', '\n']).to_owned(),
            Self::Basic(user, password) => {
                if user.contains(':') {
                    return Err("the user's name holds a colon");
                }
                let password = password.expose().trim_end_matches(['\r', '\n']);
                format!("Basic {}", Base64::encode_string(format!("{user}:{password}").as_bytes()))
            }
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| "the secret holds a character that no header may hold")?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let credential = Credential::of(Some(Secret::new("hunter2".into())), None);
        assert!(!format!("{credential:?}").contains("hunter2"));
        assert!(!format!("{:?}", credential.header().unwrap()).contains("hunter2"));
    }

    #[test]
    fn a_newline_at_the_end_of_a_secret_file_is_no_part_of_it() {
        let header = Credential::Basic("u".into(), Secret::new("p\n".into())).header().unwrap().unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic dTpw");
    }

    #[test]
    fn a_newline_within_a_token_is_refused_without_showing_it() {
        let error = Credential::Bearer(Secret::new("a\nX-Evil: 1".into())).header().unwrap_err();
        assert!(!error.contains("Evil"));
    }
}
