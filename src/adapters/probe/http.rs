//! A check by HTTP: one `GET` without credentials, redirects or proxies; the body is read up to a bound.

use std::time::Duration;

use reqwest::Url;

use super::MOST_BYTES;
use crate::adapters::http::bare_client;
use crate::model::probe::{Held, ProbeAnswer};
use crate::model::text::Text;

/// Asks, and holds the answer against what is expected.
pub async fn ask(url: &str, status: Option<u16>, contains: Option<&str>, within: Duration) -> ProbeAnswer {
    match tokio::time::timeout(within, answered(url, status, contains, within)).await {
        Ok(answer) => answer,
        Err(_) => not_known(url, &format!("no whole answer within {} s", within.as_secs())),
    }
}

fn not_known(url: &str, why: &str) -> ProbeAnswer {
    ProbeAnswer::new(Held::NotKnown, &format!("GET {url}: {why}"))
}

async fn answered(url: &str, status: Option<u16>, contains: Option<&str>, within: Duration) -> ProbeAnswer {
    let parsed = match Url::parse(url) {
        Ok(parsed) => parsed,
        Err(error) => return not_known(url, &format!("it is no address: {error}")),
    };
    let plain = parsed.scheme() == "http";
    let client = match bare_client(plain, within).await {
        Ok(client) => client,
        Err(why) => return not_known(url, &why),
    };
    let mut answer = match client.get(parsed).send().await {
        Ok(answer) => answer,
        Err(error) => return not_known(url, &in_words(&error)),
    };
    let code = answer.status();
    let fits = status.map_or_else(|| code.is_success(), |wanted| code.as_u16() == wanted);
    if !fits {
        let wanted = status.map_or_else(|| "2xx".to_owned(), |wanted| wanted.to_string());
        return ProbeAnswer::new(Held::Fails, &format!("GET {url} answered {}, expected {wanted}", code.as_u16()));
    }
    let Some(wanted) = contains else { return ProbeAnswer::new(Held::Holds, &format!("GET {url} answered {}", code.as_u16())) };
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return not_known(url, &in_words(&error)),
        }
        if body.len() > MOST_BYTES {
            break;
        }
    }
    let text = String::from_utf8_lossy(body.get(..MOST_BYTES).unwrap_or(&body)).into_owned();
    if text.contains(wanted) {
        return ProbeAnswer::new(Held::Holds, &format!("GET {url} answered {} with `{wanted}`", code.as_u16()));
    }
    let begin = Text::clean_within(&text, 60);
    ProbeAnswer::new(Held::Fails, &format!("GET {url} answered {} without `{wanted}`: {begin}", code.as_u16()))
}

/// What went wrong, down to its cause.
fn in_words(error: &reqwest::Error) -> String {
    let mut words = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(one) = cause {
        words = one.to_string();
        cause = one.source();
    }
    if words.is_empty() { error.to_string() } else { words }
}
