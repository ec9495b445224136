//! Ways to a cluster: kubeconfigs with a token, a certificate or a plugin, and what of them is refused.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gonogo::adapters::kubernetes::{Cluster, Kind, Place};
use gonogo::config::secret::SecretRef;
use gonogo::config::settings::{Address, BackendSettings};
use gonogo::model::catalog::BackendKind;
use gonogo::model::error::{PortError, PortErrorKind};
use serde_json::{Value, json};

use crate::plane::{ADMIN, client, plane, private};
use crate::servers::http::settings;

fn by(address: Address) -> Cluster {
    client(BackendSettings { address, ..settings(BackendKind::GatewayApi, "http://127.0.0.1", Duration::from_secs(10)) })
}

/// A kubeconfig with one context.
fn written(folder: &Path, name: &str, user: &Value, cluster: &Value) -> PathBuf {
    let all = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "one",
        "clusters": [{ "name": "one", "cluster": cluster }], "users": [{ "name": "one", "user": user }],
        "contexts": [{ "name": "one", "context": { "cluster": "one", "user": "one", "namespace": "kube-system" } }],
    });
    private(&folder.join(name), &all.to_string());
    folder.join(name)
}

fn usual() -> Value {
    json!({ "server": plane().url(), "certificate-authority": plane().authority() })
}

async fn open(cluster: &Cluster) -> Result<String, PortError> {
    let place = Place { namespace: "default".to_owned(), name: "nothing".to_owned() };
    cluster.get("look", Kind::Pod, &place).await?;
    cluster.namespace().await
}

async fn opened(file: PathBuf) -> Result<String, PortError> {
    open(&by(Address::Kubeconfig { file: Some(file), context: None })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_a_token_file_and_a_plugin_open_it() {
    let folder = tempfile::tempdir().unwrap();
    let token = ADMIN;
    let file = folder.path().join("secret");
    private(&file, token);
    let script = folder.path().join("plugin.sh");
    let given = json!({ "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": { "token": token } });
    private(&script, &format!("case \"$KUBERNETES_EXEC_INFO\" in *certificate-authority-data*) echo '{given}';; *) exit 9;; esac"));
    let plugin = json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": [script], "interactiveMode": "Never", "provideClusterInfo": true,
    } });
    for (name, user) in [("token", json!({ "token": token })), ("file", json!({ "tokenFile": file })), ("plugin", plugin)] {
        assert_eq!(opened(written(folder.path(), name, &user, &usual())).await.unwrap(), "kube-system", "{name}");
    }
    // And an address with a token of the configuration.
    let reference = SecretRef::File(file);
    let own = BackendSettings {
        token: Some(reference),
        ca_file: Some(plane().authority()),
        ..settings(BackendKind::GatewayApi, &plane().url(), Duration::from_secs(10))
    };
    assert_eq!(open(&client(own)).await.unwrap(), "default");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_changed_in_its_file_is_read_anew_when_the_old_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    private(&token, ADMIN);
    let file = written(folder.path(), "config", &json!({ "tokenFile": token }), &usual());
    private(&token, "wrong-0123456789abcdef");
    let cluster = by(Address::Kubeconfig { file: Some(file), context: None });
    let error = open(&cluster).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unauthorised);
    assert!(!error.to_string().contains("wrong-0123"), "{error}");
    private(&token, ADMIN);
    assert_eq!(open(&cluster).await.unwrap(), "kube-system");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_weaken_a_connection_is_refused_with_words() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let token = json!({ "token": ADMIN });
    let with = |name: &str, value: Value| {
        let mut cluster = usual();
        cluster[name] = value;
        cluster
    };
    for (name, cluster, words) in [
        ("blind", with("insecure-skip-tls-verify", json!(true)), "cannot recognise"),
        ("proxy", with("proxy-url", json!("http://127.0.0.1:1")), "proxy-url"),
        ("plain", with("server", json!("http://10.0.0.1")), "insecure = true"),
    ] {
        let error = opened(written(folder.path(), name, &token, &cluster)).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    // The authorities of the system do not vouch for it.
    let error = opened(written(folder.path(), "strange", &token, &json!({ "server": plane().url() }))).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    // Its keys lie open.
    let open = written(folder.path(), "open", &token, &usual());
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = opened(open).await.unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
    // What is no kubeconfig is not repeated.
    let broken = folder.path().join("broken");
    private(&broken, &format!("clusters: [{{ token: {ADMIN} "));
    let error = opened(broken).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(ADMIN), "{error}");
}
