//! Kubeconfigs: which cluster and user a context means, and what of them is refused, with words. No word of a file is repeated in an error.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Kubeconfig};
use secrecy::{ExposeSecret as _, SecretString};

use super::certificate::{authority, bytes, decoded, pem};
use super::exec;
use super::means::{Access, Until};
use crate::adapters::http::{Credential, Trust};
use crate::config::secret::Secret;
use crate::config::surroundings::Surroundings;

/// The files that every client of Kubernetes takes.
pub(super) fn usual(around: &Surroundings) -> Result<Vec<PathBuf>, String> {
    if let Some(list) = around.variable("KUBECONFIG") {
        return Ok(std::env::split_paths(list).filter(|path| path.is_file()).collect());
    }
    let home = around.variable("HOME").ok_or("the variable HOME is not set; name a `kubeconfig`")?;
    Ok(vec![Path::new(home).join(".kube/config")])
}

/// What a context of these files means; of two with the same name the first counts.
pub(super) fn access(files: &[PathBuf], context: Option<&str>) -> Result<Access, String> {
    let mut all: Option<Kubeconfig> = None;
    for file in files {
        bytes(file)?;
        // Its own words would repeat lines of the file.
        let one = Kubeconfig::read_from(file).map_err(|_| format!("{} is no kubeconfig", file.display()))?;
        all = Some(match all {
            Some(first) => first.merge(one).map_err(|_| format!("{} is of another version than the one before it", file.display()))?,
            None => one,
        });
    }
    let all = all.ok_or("there is no kubeconfig; name one in `kubeconfig`")?;
    let name = context.or(all.current_context.as_deref()).ok_or("the kubeconfig has no current context; name one in `context`")?;
    let context = all.contexts.iter().find(|one| one.name == name).and_then(|one| one.context.as_ref());
    let context = context.ok_or_else(|| format!("the kubeconfig has no context {name}"))?;
    let cluster = all.clusters.iter().find(|one| one.name == context.cluster).and_then(|one| one.cluster.as_ref());
    let cluster = cluster.ok_or_else(|| format!("the kubeconfig has no cluster for its context {name}"))?;
    let user = context.user.as_ref().and_then(|user| all.auth_infos.iter().find(|one| &one.name == user));
    let user = user.and_then(|user| user.auth_info.clone()).unwrap_or_default();
    if let Some(file) = files.iter().find(|file| holds_secret(&user) && others_read(file)) {
        return Err(format!("others may read or write the keys in {0}; run `chmod 600 {0}`", file.display()));
    }
    let url = cluster.server.clone().filter(|server| !server.is_empty()).ok_or("the cluster of the kubeconfig has no `server`")?;
    let refused = [
        (
            cluster.insecure_skip_tls_verify == Some(true),
            "`insecure-skip-tls-verify`: gonogo speaks to no cluster that it cannot recognise",
        ),
        (cluster.proxy_url.as_ref().is_some_and(|proxy| !proxy.is_empty()), "`proxy-url`, which gonogo does not take"),
        (cluster.tls_server_name.as_ref().is_some_and(|name| !name.is_empty()), "`tls-server-name`, which gonogo does not take"),
        (user.impersonate.is_some(), "`as`: gonogo acts as itself"),
        (user.auth_provider.is_some(), "an `auth-provider`, which Kubernetes gave up; use its `exec` plugin"),
    ];
    if let Some((_, why)) = refused.into_iter().find(|(is, _)| *is) {
        return Err(format!("the context {name} asks for {why}"));
    }
    let mut trust = Trust { ca_pem: authority(cluster)?, ..Trust::default() };
    let (mut credential, mut until) = credential(&user)?;
    trust.identity = identity(&user)?;
    if let Some(plugin) = &user.exec {
        let given = exec::run(plugin, cluster)?;
        if let Some(token) = given.token {
            credential = Credential::of(Some(token), None);
        }
        trust.identity = given.identity.or(trust.identity);
        until = given.expires.map_or(until, Until::Then);
    }
    let namespace = context.namespace.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| "default".to_owned());
    Ok(Access { url: url.trim_end_matches('/').to_owned(), namespace, trust, credential, until })
}

fn holds_secret(user: &AuthInfo) -> bool {
    user.token.is_some() || user.password.is_some() || user.client_key_data.is_some()
}

fn others_read(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|data| data.mode() & 0o077 != 0)
}

fn credential(user: &AuthInfo) -> Result<(Credential, Until), String> {
    let exposed = |secret: &Option<SecretString>| secret.as_ref().map(|secret| Secret::new(secret.expose_secret().to_owned()));
    if let Some(file) = user.token_file.as_ref().filter(|file| !file.is_empty()) {
        let text = String::from_utf8(bytes(Path::new(file))?).map_err(|_| "`tokenFile` holds no UTF-8".to_owned())?;
        return Ok((Credential::of(Some(Secret::new(text.trim().to_owned())), None), Until::Minute));
    }
    let token = exposed(&user.token).filter(|token| !token.expose().is_empty());
    Ok((Credential::of(token, user.username.clone().zip(exposed(&user.password))), Until::Refused))
}

/// Certificate and key in one PEM.
fn identity(user: &AuthInfo) -> Result<Option<Secret>, String> {
    let certificate = match (&user.client_certificate_data, &user.client_certificate) {
        (Some(data), _) if !data.is_empty() => decoded("client-certificate-data", data)?,
        (_, Some(file)) if !file.is_empty() => bytes(Path::new(file))?,
        (_, _) => return Ok(None),
    };
    let key = match (&user.client_key_data, &user.client_key) {
        (Some(data), _) if !data.expose_secret().is_empty() => decoded("client-key-data", data.expose_secret())?,
        (_, Some(file)) if !file.is_empty() => {
            let file = Path::new(file);
            if others_read(file) {
                return Err(format!("others may read or write the key {0}; run `chmod 600 {0}`", file.display()));
            }
            bytes(file)?
        }
        (_, _) => return Err("the kubeconfig has a client certificate without its key".to_owned()),
    };
    pem(&certificate, &key).map(Some)
}
