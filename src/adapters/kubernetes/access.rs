//! Who we are to a cluster and where it is: what a kubeconfig, a service account or the configuration says, resolved.

use std::path::Path;

use super::certificate;
use super::kubeconfig;
use super::means::{Access, Until};
use crate::adapters::http::{Credential, Trust};
use crate::config::secret::{self, Secret};
use crate::config::settings::{Address, BackendSettings};
use crate::config::surroundings::Surroundings;
use crate::model::error::{PortError, PortErrorKind};

/// Where a pod finds its service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Finds it. Files are read and commands run: this call blocks.
///
/// # Errors
/// `Unauthorised` with what to mend; never with anything that stands in a file.
pub(super) fn resolve(settings: &BackendSettings, around: &Surroundings) -> Result<Access, PortError> {
    let fail = |why: &str| PortError::new(PortErrorKind::Unauthorised, &settings.name, "find its cluster", why);
    let mut access = match &settings.address {
        Address::Http(url) => configured(settings, around, url).map_err(|why| fail(&why))?,
        Address::Kubeconfig { file, context } => {
            let files = file.clone().map_or_else(|| kubeconfig::usual(around), |file| Ok(vec![file])).map_err(|why| fail(&why))?;
            kubeconfig::access(&files, context.as_deref())
                .map_err(|why| fail(&why).mended_by("mend the kubeconfig, or name another one in `kubeconfig` or `context`"))?
        }
        Address::InCluster => in_cluster(around, Path::new(ACCOUNT)).map_err(|why| fail(&why))?,
        Address::Unix(_) | Address::Tcp(_) => return Err(fail("a cluster is reached by `kubeconfig`, `in_cluster` or `url`")),
    };
    if let Some(namespace) = &settings.namespace {
        access.namespace.clone_from(namespace);
    }
    Ok(access)
}

fn configured(settings: &BackendSettings, around: &Surroundings, url: &str) -> Result<Access, String> {
    let read = |reference| secret::resolve(reference, &around.env).map_err(|error| error.to_string());
    let token = settings.token.as_ref().map(read).transpose()?;
    let password = settings.password.as_ref().map(read).transpose()?;
    Ok(Access {
        url: url.to_owned(),
        namespace: "default".to_owned(),
        trust: Trust { ca_file: settings.ca_file.clone(), ..Trust::default() },
        credential: Credential::of(token, settings.user.clone().zip(password)),
        until: Until::Refused,
    })
}

/// By the files and variables that a pod has.
fn in_cluster(around: &Surroundings, account: &Path) -> Result<Access, String> {
    let variable = |name| around.variable(name).ok_or_else(|| format!("the variable {name} is not set: does gonogo run in a pod?"));
    let (host, port) = (variable("KUBERNETES_SERVICE_HOST")?, variable("KUBERNETES_SERVICE_PORT")?);
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let file = |name: &str| {
        let path = account.join(name);
        certificate::bytes(&path)
    };
    let text = |name: &str| String::from_utf8(file(name)?).map_err(|_| format!("{name} of the service account is no UTF-8"));
    Ok(Access {
        url: format!("https://{host}:{port}"),
        namespace: text("namespace").map_or_else(|_| "default".to_owned(), |name| name.trim().to_owned()),
        trust: Trust { ca_pem: Some(file("ca.crt")?), ..Trust::default() },
        credential: Credential::of(Some(Secret::new(text("token")?.trim().to_owned())), None),
        until: Until::Minute,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_finds_its_cluster_by_its_service_account() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("token", "abc.def\n"), ("ca.crt", "PEM"), ("namespace", "shop")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let mut around = Surroundings::default();
        assert!(in_cluster(&around, folder.path()).unwrap_err().contains("KUBERNETES_SERVICE_HOST"));
        around.env.insert("KUBERNETES_SERVICE_HOST".to_owned(), "fd00::1".to_owned());
        around.env.insert("KUBERNETES_SERVICE_PORT".to_owned(), "443".to_owned());
        let access = in_cluster(&around, folder.path()).unwrap();
        assert_eq!((access.url.as_str(), access.namespace.as_str(), access.until), ("https://[fd00::1]:443", "shop", Until::Minute));
        let Credential::Bearer(token) = &access.credential else { panic!("{:?}", access.credential) };
        assert_eq!(token.expose(), "abc.def");
        assert!(!format!("{access:?}").contains("abc"), "a secret has no printable form");
    }
}
