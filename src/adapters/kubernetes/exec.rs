//! Plugins of a kubeconfig that hand out credentials (`client.authentication.k8s.io/v1`): run without a shell, bounded in time and output.

use chrono::{DateTime, Utc};
use kube::config::{Cluster, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::certificate::{authority_data, pem};
use crate::config::secret::{self, Secret};

/// The versions of the exchange.
const VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// What a plugin gave.
pub(super) struct Given {
    /// A bearer token.
    pub(super) token: Option<Secret>,
    /// A certificate with its key, as PEM.
    pub(super) identity: Option<Secret>,
    /// When both end.
    pub(super) expires: Option<DateTime<Utc>>,
}

/// Runs one.
pub(super) fn run(plugin: &ExecConfig, cluster: &Cluster) -> Result<Given, String> {
    let program = plugin.command.as_ref().filter(|program| !program.is_empty()).ok_or("the `exec` of the kubeconfig has no command")?;
    let version = plugin.api_version.as_deref().unwrap_or_default();
    if !VERSIONS.contains(&version) {
        return Err(format!("the plugin {program} speaks another version than {}", VERSIONS.join(" or ")));
    }
    if plugin.interactive_mode == Some(ExecInteractiveMode::Always) {
        return Err(format!("the plugin {program} wants to ask at the terminal, which gonogo needs for itself"));
    }
    let words: Vec<String> = std::iter::once(program.clone()).chain(plugin.args.clone().unwrap_or_default()).collect();
    let named = plugin.env.iter().flatten().filter_map(|one| Some((one.get("name")?.clone(), one.get("value")?.clone())));
    let mut env: Vec<(String, String)> = named.collect();
    env.push(("KUBERNETES_EXEC_INFO".to_owned(), told(plugin, cluster, version)?.to_string()));
    let said = secret::output_of(&words, &env).map_err(|why| format!("the plugin {program}: {why}"))?;
    given(&said, version).map_err(|why| format!("the plugin {program}: {why}"))
}

/// What it is told.
fn told(plugin: &ExecConfig, cluster: &Cluster, version: &str) -> Result<Value, String> {
    let mut spec = json!({ "interactive": false });
    if plugin.provide_cluster_info {
        let extensions = cluster.extensions.iter().flatten();
        let config = extensions.filter(|one| one.name == "client.authentication.k8s.io/exec").map(|one| one.extension.clone()).next();
        let told = json!({ "server": cluster.server, "certificate-authority-data": authority_data(cluster)?, "config": config });
        if let (Some(spec), Value::Object(told)) = (spec.as_object_mut(), told) {
            spec.insert("cluster".to_owned(), Value::Object(told.into_iter().filter(|(_, value)| !value.is_null()).collect()));
        }
    }
    Ok(json!({ "apiVersion": version, "kind": "ExecCredential", "spec": spec }))
}

/// What it said, without repeating any of it.
fn given(said: &[u8], version: &str) -> Result<Given, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire {
        api_version: String,
        status: Status,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        token: Option<String>,
        client_certificate_data: Option<String>,
        client_key_data: Option<String>,
        expiration_timestamp: Option<DateTime<Utc>>,
    }
    let wire: Wire = serde_json::from_slice(said).map_err(|_| "it did not answer with an ExecCredential that has a status".to_owned())?;
    if wire.api_version != version {
        return Err("it answered in another version than it was asked in".to_owned());
    }
    let status = wire.status;
    let identity = match (&status.client_certificate_data, &status.client_key_data) {
        (Some(certificate), Some(key)) => Some(pem(certificate.as_bytes(), key.as_bytes())?),
        (None, None) => None,
        (_, _) => return Err("it gave a certificate without a key, or a key without its certificate".to_owned()),
    };
    let token = status.token.filter(|token| !token.is_empty()).map(Secret::new);
    if token.is_none() && identity.is_none() {
        return Err("it gave neither a token nor a certificate".to_owned());
    }
    Ok(Given { token, identity, expires: status.expiration_timestamp })
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "client.authentication.k8s.io/v1";

    fn plugin(script: &str) -> ExecConfig {
        let args = vec!["-c".to_owned(), script.to_owned()];
        ExecConfig { api_version: Some(V1.to_owned()), command: Some("sh".to_owned()), args: Some(args), ..ExecConfig::default() }
    }

    #[test]
    fn a_plugin_is_told_the_version_and_gives_a_token_with_its_end() {
        let script = r#"case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 1;; esac
            echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t","expirationTimestamp":"2030-01-01T00:00:00Z"}}'"#;
        let given = run(&plugin(script), &Cluster::default()).unwrap();
        assert_eq!(given.token.unwrap().expose(), "t");
        assert_eq!(given.expires.unwrap().to_rfc3339(), "2030-01-01T00:00:00+00:00");
    }

    #[test]
    fn what_is_refused_says_why_and_repeats_nothing() {
        let because = |plugin: &ExecConfig| run(plugin, &Cluster::default()).err().unwrap();
        assert!(because(&plugin("echo hunter2hunter2")).contains("did not answer with an ExecCredential"));
        assert!(!because(&plugin("echo hunter2hunter2; exit 3")).contains("hunter2"));
        let asks = ExecConfig { interactive_mode: Some(ExecInteractiveMode::Always), ..plugin("true") };
        assert!(because(&asks).contains("wants to ask at the terminal"));
        let old = ExecConfig { api_version: Some("client.authentication.k8s.io/v1alpha1".to_owned()), ..plugin("true") };
        assert!(because(&old).contains("another version"));
    }
}
