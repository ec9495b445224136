//! What is taken out of texts that leave: a secret that is known, in every form in which it is sent or may be written, and what is one by
//! the look of it.

use std::sync::{PoisonError, RwLock};

use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding as _};
use serde_json::Value;

pub use super::secret_words::{HIDDEN, by_form, names_a_secret};

/// Forms of fewer bytes may stand in any text by chance: a text that holds one is withheld as a whole.
const SHORT: usize = 6;
/// Forms of as many bytes do not stand in data by chance: they are taken out of good answers too.
const LONG: usize = 12;
/// So many forms are remembered of the secrets that this process ever had; of more, the newest and the first half.
const MOST: usize = 8192;

/// The forms of every secret that this process ever had, in the order in which it got them.
static KNOWN: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Remembers a secret, so that no text that leaves through [`from_all`] repeats it.
pub(super) fn remember(secret: &str) {
    // Of several lines, such as a key in PEM, each line is one as well.
    let long = secret.lines().filter(|line| line.len() >= LONG && !line.starts_with("-----"));
    Withheld::token(secret.trim_end_matches(['\r', '\n']))
        .and(long.fold(Withheld::default(), |all, line| all.and(Withheld::token(line))))
        .remembered();
}

/// A text without any secret that this process ever had, and without what looks like one.
pub fn from_all(text: &str) -> String {
    without(&KNOWN.read().unwrap_or_else(PoisonError::into_inner), text)
}

fn without(known: &[String], text: &str) -> String {
    let mut found: Vec<String> = known.iter().filter(|form| text.contains(form.as_str())).cloned().collect();
    found.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    by_form(&Withheld(found).words(text))
}

/// The forms of one secret, the longest first.
#[derive(Clone, Default)]
pub struct Withheld(Vec<String>);

impl Withheld {
    /// The forms of what is sent as `Authorization: Bearer`.
    pub fn token(token: &str) -> Self {
        Self::of(&[token], &[token])
    }

    /// The forms of what is sent as `Authorization: Basic`.
    pub fn basic(user: &str, password: &str) -> Self {
        Self::of(&[password], &[password, &format!("{user}:{password}")]).remembered()
    }

    /// The forms of both.
    #[must_use]
    pub fn and(mut self, mut more: Self) -> Self {
        self.0.append(&mut more.0);
        self.0.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.0.dedup();
        self
    }

    fn of(plain: &[&str], encoded: &[&str]) -> Self {
        let mut forms = Vec::new();
        for text in plain.iter().filter(|text| !text.is_empty()) {
            let json = serde_json::to_string(text).unwrap_or_default();
            let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
            let percent = percent(text);
            forms.extend([(*text).to_owned(), json.trim_matches('"').to_owned(), percent.to_ascii_lowercase(), percent]);
            forms.extend([html.replace('\'', "&#39;"), html.replace('\'', "&#x27;"), html]);
        }
        for text in encoded {
            let bytes = text.as_bytes();
            forms.extend([Base64::encode_string(bytes), Base64Unpadded::encode_string(bytes)]);
            forms.extend([Base64Url::encode_string(bytes), Base64UrlUnpadded::encode_string(bytes)]);
        }
        forms.retain(|form| !form.is_empty());
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self(forms)
    }

    /// Remembers these forms for [`from_all`], and gives them back.
    fn remembered(self) -> Self {
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        for form in &self.0 {
            if !known.contains(form) {
                known.push(form.clone());
            }
            if known.len() > MOST {
                // Tokens that are renewed push out each other, not what the configuration refers to.
                known.remove(MOST / 2);
            }
        }
        drop(known);
        self
    }

    /// A backend's words without the secret.
    pub fn words(&self, said: &str) -> String {
        if self.0.iter().any(|form| form.len() < SHORT && said.contains(form.as_str())) {
            return "(its words are withheld: they repeat the secret)".to_owned();
        }
        self.0
            .iter()
            .fold(said.to_owned(), |said, form| if said.contains(form.as_str()) { said.replace(form.as_str(), HIDDEN) } else { said })
    }

    /// Takes the secret out of every text of a good answer, names of members too. What is short may be there by chance and stays.
    pub fn value(&self, value: &mut Value) {
        let long: Vec<&str> = self.0.iter().map(String::as_str).filter(|form| form.len() >= LONG).collect();
        if !long.is_empty() {
            walk(value, &long);
        }
    }
}

fn walk(value: &mut Value, forms: &[&str]) {
    match value {
        Value::String(text) => hide(text, forms),
        Value::Array(values) => values.iter_mut().for_each(|value| walk(value, forms)),
        Value::Object(members) => {
            if members.keys().any(|name| forms.iter().any(|form| name.contains(form))) {
                let named = std::mem::take(members).into_iter().map(|(mut name, value)| {
                    hide(&mut name, forms);
                    (name, value)
                });
                *members = named.collect();
            }
            members.values_mut().for_each(|value| walk(value, forms));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'.');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn hide(text: &mut String, forms: &[&str]) {
    for form in forms {
        if text.contains(form) {
            *text = text.replace(form, HIDDEN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_of_a_password_is_taken_out() {
        let withheld = Withheld::basic("ana", "p\"a ss&word/1");
        for said in [
            "p\"a ss&word/1",
            "p\\\"a ss&word/1",
            "p%22a%20ss%26word%2F1",
            "p%22a%20ss%26word%2f1",
            "p&quot;a ss&amp;word/1",
            "ana:p\"a ss&word/1",
            &Base64::encode_string(b"ana:p\"a ss&word/1"),
            &Base64Unpadded::encode_string(b"ana:p\"a ss&word/1"),
            &Base64UrlUnpadded::encode_string(b"p\"a ss&word/1"),
        ] {
            let told = withheld.words(&format!("got {said}, sorry"));
            assert!(told == "got (secret), sorry" || told == "got ana:(secret), sorry", "{said}: {told}");
        }
        assert_eq!(withheld.words("bad request"), "bad request");
    }

    #[test]
    fn what_is_known_is_taken_out_of_every_text_longest_first() {
        let known = [Withheld::token("s3cr3t-of-the-log").0, Withheld::token("s3cr3t-of-the-log-and-more").0].concat();
        let told = without(&known, "a s3cr3t-of-the-log-and-more b s3cr3t-of-the-log c");
        assert_eq!(told, "a (secret) b (secret) c");
        assert_eq!(without(&["abc".to_owned()], "an abc"), "(its words are withheld: they repeat the secret)");
    }

    #[test]
    fn whatever_became_a_secret_is_known_from_then_on() {
        let _ = crate::config::secret::Secret::new("s3cr3t-by-type\n".to_owned());
        let _ = crate::config::secret::Secret::new("-----BEGIN KEY-----\nbGluZS1vZi1hLWtleQ==\n".to_owned());
        let _ = Withheld::basic("ana", "p4ss-of-the-log");
        let known = KNOWN.read().unwrap();
        for form in ["s3cr3t-by-type", "bGluZS1vZi1hLWtleQ==", "p4ss-of-the-log", &Base64::encode_string(b"ana:p4ss-of-the-log")] {
            assert!(known.iter().any(|one| one == form), "{form}");
        }
    }

    #[test]
    fn a_short_secret_takes_the_whole_text_with_it() {
        let told = Withheld::token("abc").words("no abc");
        assert!(!told.contains("abc") && told.contains("withheld"), "{told}");
    }

    #[test]
    fn a_good_answer_loses_what_cannot_be_there_by_chance_and_nothing_else() {
        let withheld = Withheld::token("s3cr3t-t0k3n-4711");
        let mut value = json!({"a": ["curl -H 's3cr3t-t0k3n-4711'", 1, null], "s3cr3t-t0k3n-4711": {"b": "prod"}});
        withheld.value(&mut value);
        assert_eq!(value, json!({"a": ["curl -H '(secret)'", 1, null], "(secret)": {"b": "prod"}}));
        let mut value = json!({"environment": "prod"});
        Withheld::token("prod").value(&mut value);
        assert_eq!(value, json!({"environment": "prod"}));
    }
}
