//! The weights of a weighted service, or the per cents of one that copies, in a TOML file of Traefik's, with the bytes in which they stand.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

/// A service under a weighted one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Below {
    /// Its name, with its provider where that is written.
    pub name: String,
    /// Its weight and where that stands; none when it has none of its own.
    pub weight: Option<(u32, Range<usize>)>,
}

/// Finds the services under a weighted one.
///
/// # Errors
/// Says why they cannot be found, or why one could not be changed by an edit of its bytes.
pub fn in_toml(text: &str, service: &str) -> Result<Vec<Below>, String> {
    #[derive(Deserialize)]
    struct File {
        http: Option<Http>,
    }
    #[derive(Deserialize)]
    struct Http {
        #[serde(default)]
        services: BTreeMap<String, Service>,
    }
    #[derive(Deserialize)]
    struct Service {
        weighted: Option<Weighted>,
        mirroring: Option<Mirroring>,
    }
    #[derive(Deserialize)]
    struct Mirroring {
        #[serde(default)]
        mirrors: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Weighted {
        #[serde(default)]
        services: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        name: String,
        #[serde(alias = "percent")]
        weight: Option<Spanned<u32>>,
    }
    let file: File = toml::from_str(text).map_err(|error| format!("it is no TOML that can be read: {}", error.message()))?;
    let mut services = file.http.map(|http| http.services).unwrap_or_default();
    let service_of = |service: Service| match service.mirroring {
        Some(mirroring) => Some(mirroring.mirrors),
        None => service.weighted.map(|weighted| weighted.services),
    };
    let entries = services.remove(service).and_then(service_of).ok_or_else(|| format!("it has no weighted service {service}"))?;
    let below = |entry: Entry| {
        let Some(weight) = entry.weight else { return Ok(Below { name: entry.name, weight: None }) };
        let span = weight.span();
        // 1_000 and 0x10 are numbers too, and are left alone.
        if text.get(span.clone()) != Some(weight.get_ref().to_string().as_str()) {
            return Err(format!("the weight of {} is not written in plain digits", entry.name));
        }
        Ok(Below { name: entry.name, weight: Some((*weight.get_ref(), span)) })
    };
    entries.into_iter().map(below).collect()
}
