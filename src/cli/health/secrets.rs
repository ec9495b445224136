//! What is to be mended about secrets and the files that rules are written in: who may read or write them. No secret is read for it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Finding;
use crate::config::secret::SecretRef;
use crate::config::settings::{Config, WebhookAddress};
use crate::config::surroundings::Surroundings;

/// Every reference to a secret, and what needs it.
pub fn references(config: &Config) -> Vec<(String, &SecretRef)> {
    let mut all = Vec::new();
    for backend in &config.backends {
        all.extend(backend.token.iter().chain(&backend.password).map(|secret| (format!("backend {}", backend.name), secret)));
    }
    for webhook in &config.webhooks {
        let address = match &webhook.address {
            WebhookAddress::Secret(secret) => Some(secret),
            WebhookAddress::Plain(_) => None,
        };
        let secrets = webhook.secret.iter().chain(&webhook.token).chain(address);
        all.extend(secrets.map(|secret| (format!("webhook {}", webhook.name), secret)));
    }
    for desk in &config.desks {
        all.extend(desk.token.iter().chain(&desk.password).map(|secret| (format!("desk {}", desk.name), secret)));
    }
    all
}

/// What is to be mended.
pub fn findings(config: &Config, around: &Surroundings) -> Vec<Finding> {
    let mut found = Vec::new();
    for (about, secret) in references(config) {
        match secret {
            SecretRef::Env(name) if around.variable(name).is_none() => {
                found.push(Finding::new(
                    about,
                    format!("the variable {name} of its secret is not set"),
                    format!("set {name} before gonogo starts"),
                ));
            }
            SecretRef::File(path) => found.extend(of_file(about, path)),
            SecretRef::Env(_) | SecretRef::Command(_) => {}
        }
    }
    for file in &config.files {
        let Ok(data) = std::fs::metadata(file) else { continue };
        if data.mode() & 0o022 != 0 {
            let told =
                format!("others may write {} (mode {:04o}), and so give themselves every right", file.display(), data.mode() & 0o7777);
            found.push(Finding::new("configuration", told, format!("run `chmod go-w {}`", file.display())));
        }
    }
    found
}

fn of_file(about: String, path: &Path) -> Option<Finding> {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(error) => {
            Some(Finding::new(about, format!("the file of its secret, {shown}, cannot be seen: {error}"), "write it, with mode 0600"))
        }
        Ok(data) if data.mode() & 0o077 != 0 => {
            let told =
                format!("others may read or write the file of its secret, {shown} (mode {:04o}), so it is not taken", data.mode() & 0o7777);
            Some(Finding::new(about, told, format!("run `chmod 600 {shown}`, and change the secret if others could have read it")))
        }
        Ok(_) => None,
    }
}
