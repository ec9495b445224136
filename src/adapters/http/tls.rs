//! Why a TLS connection was refused, in words for who has to mend it: a certificate's time, name or authority.

use std::error::Error;
use std::path::Path;

use chrono::{DateTime, Utc};
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use crate::model::text::Text;

/// What both ends of time are mended by.
const TIME: &str = "renew the certificate there; if it is in order, set this machine's clock";
/// What a name that does not fit is mended by.
const NAME: &str = "write one of the certificate's names into `url`, or have a certificate made for this name";
/// What an authority that nobody vouches for is mended by.
const AUTHORITY: &str = "name the certificate of its authority in `ca_file`, or have this system trust it";
/// The same where `ca_file` names others.
const OTHER_AUTHORITY: &str = "put the certificate of its authority into that file";
/// Anything else about a certificate.
const CERTIFICATE: &str = "have its certificate made anew";
/// What is no TLS.
const PLAIN: &str = "if it speaks plain text, write http:// into `url` (to another host only with `insecure = true`)";

/// What was wrong, and what to do.
pub(super) type Refusal = (String, &'static str);

/// What stands in an error about TLS, wherever in it; none when it is about something else.
pub(super) fn refusal(error: &(dyn Error + 'static), ca_file: Option<&Path>) -> Option<Refusal> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(told(found, ca_file));
        }
        // An I/O error leaves what it was made of out of its own chain.
        let made_of = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = made_of.map_or_else(|| error.source(), |inner| Some(inner as &(dyn Error + 'static)));
    }
    None
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum grows; what is not told apart is told in its words")]
fn told(error: &rustls::Error, ca_file: Option<&Path>) -> Refusal {
    match error {
        rustls::Error::InvalidCertificate(error) => certificate(error, ca_file),
        rustls::Error::InvalidMessage(_) => ("it does not speak TLS".to_owned(), PLAIN),
        other => (format!("TLS failed: {other}"), "look at its TLS settings and its log"),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum grows; what is not told apart is told in its words")]
fn certificate(error: &CertificateError, ca_file: Option<&Path>) -> Refusal {
    match error {
        CertificateError::Expired => ("its certificate expired".to_owned(), TIME),
        CertificateError::ExpiredContext { not_after, .. } => (format!("its certificate expired on {}", date(*not_after)), TIME),
        CertificateError::NotValidYet => ("its certificate is not valid yet".to_owned(), TIME),
        CertificateError::NotValidYetContext { not_before, .. } => {
            (format!("its certificate is not valid before {}", date(*not_before)), TIME)
        }
        CertificateError::NotValidForName => ("its certificate is for another name".to_owned(), NAME),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names = if presented.is_empty() {
                "no name".to_owned()
            } else {
                presented.iter().map(|one| name(one)).collect::<Vec<_>>().join(", ")
            };
            (format!("its certificate is for {names} and not for {}", expected.to_str()), NAME)
        }
        // A signature that does not hold is that of another authority of the same name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => match ca_file {
            Some(file) => (format!("its certificate is from none of the authorities in {}", file.display()), OTHER_AUTHORITY),
            None => ("its certificate is from an authority that this system does not trust".to_owned(), AUTHORITY),
        },
        CertificateError::Revoked => ("its certificate was revoked".to_owned(), CERTIFICATE),
        other => (format!("its certificate cannot be used: {other}"), CERTIFICATE),
    }
}

/// A name as a certificate presents it: `DnsName("a.example")` is told without its wrapping.
fn name(presented: &str) -> String {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(presented);
    Text::clean_within(inner.trim_matches('"'), 80).to_string()
}

fn date(at: UnixTime) -> String {
    let at = i64::try_from(at.as_secs()).ok().and_then(|at| DateTime::<Utc>::from_timestamp(at, 0));
    at.map_or_else(|| "a date that is none".to_owned(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: &CertificateError) -> String {
        certificate(error, None).0
    }

    #[test]
    fn each_end_of_a_certificates_time_is_dated() {
        let (time, then) = (UnixTime::since_unix_epoch, std::time::Duration::from_secs);
        let (now, at) = (time(then(2_000_000_000)), time(then(1_700_000_000)));
        assert_eq!(of(&CertificateError::ExpiredContext { time: now, not_after: at }), "its certificate expired on 2023-11-14 22:13 UTC");
        let early = CertificateError::NotValidYetContext { time: at, not_before: now };
        assert_eq!(of(&early), "its certificate is not valid before 2033-05-18 03:33 UTC");
    }

    #[test]
    fn an_error_is_found_in_an_error_and_others_are_left_alone() {
        let inner = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let found = refusal(&std::io::Error::new(std::io::ErrorKind::InvalidData, inner), Some(Path::new("/ca.pem"))).unwrap();
        assert_eq!(found, ("its certificate is from none of the authorities in /ca.pem".to_owned(), OTHER_AUTHORITY));
        assert_eq!(refusal(&std::io::Error::other("refused"), None), None);
    }

    #[test]
    fn names_of_a_certificate_are_hostile_text() {
        assert_eq!(name("DnsName(\"a.example\")"), "a.example");
        assert_eq!(name("DnsName(\"\u{1b}[2J\")"), "␛[2J");
    }
}
