//! Certificates, keys and the files that they lie in.

use std::path::Path;

use base64ct::{Base64, Encoding as _};
use kube::config::Cluster;

use crate::config::secret::Secret;

/// The longest file that is read.
const LONGEST: u64 = 1024 * 1024;

/// A whole file of bounded length.
pub(super) fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    let data = std::fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?;
    if !data.is_file() || data.len() > LONGEST {
        return Err(format!("{} is no file of at most 1 MiB", file.display()));
    }
    std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// What a kubeconfig writes as Base64.
pub(super) fn decoded(what: &str, text: &str) -> Result<Vec<u8>, String> {
    let text: String = text.split_ascii_whitespace().collect();
    Base64::decode_vec(&text).map_err(|_| format!("`{what}` of the kubeconfig is no Base64"))
}

/// The authority of a cluster, as PEM.
pub(super) fn authority(cluster: &Cluster) -> Result<Option<Vec<u8>>, String> {
    match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (Some(data), _) if !data.is_empty() => decoded("certificate-authority-data", data).map(Some),
        (_, Some(file)) if !file.is_empty() => bytes(Path::new(file)).map(Some),
        (_, _) => Ok(None),
    }
}

/// The authority as Base64, for a plugin that wants to know the cluster.
pub(super) fn authority_data(cluster: &Cluster) -> Result<Option<String>, String> {
    Ok(authority(cluster)?.map(|pem| Base64::encode_string(&pem)))
}

/// Certificate and key in one.
pub(super) fn pem(certificate: &[u8], key: &[u8]) -> Result<Secret, String> {
    let both = [certificate, b"\n", key].concat();
    String::from_utf8(both).map(Secret::new).map_err(|_| "a client certificate or its key is no PEM".to_owned())
}
