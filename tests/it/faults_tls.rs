//! TLS: a connection stands only when somebody vouches for this very host at this very time; else it is said what to mend.

use std::path::PathBuf;
use std::time::Duration;

use gonogo::adapters::http::{Credential, HttpClient};
use gonogo::config::secret::Secret;
use gonogo::model::catalog::BackendKind;
use gonogo::model::error::{PortError, PortErrorKind, SendError};
use tokio::io::AsyncWriteExt as _;

use crate::headless::place::Place;
use crate::servers::http::{RealClock, settings};
use crate::servers::tls::{Authority, TlsServer};

const DEADLINE: Duration = Duration::from_secs(5);
const NOW: [i32; 2] = [2020, 2090];

fn client(url: &str, ca_file: Option<PathBuf>) -> HttpClient {
    let mut settings = settings(BackendKind::Alertmanager, url, DEADLINE);
    settings.ca_file = ca_file;
    let token = Credential::Bearer(Secret::new("t0ken-that-must-not-leave".to_owned()));
    HttpClient::new(&settings, &token, RealClock::start()).unwrap()
}

async fn refused(server: &TlsServer, ca_file: Option<PathBuf>) -> PortError {
    let client = client(&server.url(), ca_file);
    let error = client.get_json("read it", "/", &[]).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unreachable, "{error}");
    // A deed is surely not done where no connection stood.
    let write = client.post_json("read it", "/", &serde_json::json!({})).await.unwrap_err();
    assert_eq!(write, SendError::NotDone(error.clone()));
    error
}

#[tokio::test]
async fn a_certificate_that_ca_file_vouches_for_is_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ours");
    let server = TlsServer::start(&authority, "127.0.0.1", NOW, "[7]").await;
    let answer = client(&server.url(), Some(authority.write(folder.path(), "ca.pem"))).get_json("read it", "/", &[]).await.unwrap();
    assert_eq!(*answer.value, serde_json::json!([7]));
    // Several authorities in one file.
    let both = folder.path().join("both.pem");
    let texts = [Authority::new("other").write(folder.path(), "other.pem"), authority.write(folder.path(), "ca.pem")];
    std::fs::write(&both, texts.map(|path| std::fs::read_to_string(path).unwrap()).concat()).unwrap();
    client(&server.url(), Some(both)).get_json("read it", "/", &[]).await.unwrap();
}

#[tokio::test]
async fn an_expired_certificate_says_when_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ours");
    let ca = authority.write(folder.path(), "ca.pem");
    let server = TlsServer::start(&authority, "127.0.0.1", [2020, 2021], "[]").await;
    let error = refused(&server, Some(ca.clone())).await;
    assert_eq!(error.to_string(), "failed to read it at alertmanager: its certificate expired on 2021-01-01 00:00 UTC");
    assert_eq!(error.remedy(), "renew the certificate there; if it is in order, set this machine's clock");
    let server = TlsServer::start(&authority, "127.0.0.1", [2080, 2090], "[]").await;
    let error = refused(&server, Some(ca)).await;
    assert_eq!(error.detail.as_str(), "its certificate is not valid before 2080-01-01 00:00 UTC");
}

#[tokio::test]
async fn a_certificate_for_another_name_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ours");
    let ca = authority.write(folder.path(), "ca.pem");
    let server = TlsServer::start(&authority, "metrics.example", NOW, "[]").await;
    let error = refused(&server, Some(ca)).await;
    assert_eq!(error.detail.as_str(), "its certificate is for metrics.example and not for 127.0.0.1");
    assert!(error.remedy().contains("`url`"), "{}", error.remedy());
}

#[tokio::test]
async fn an_authority_that_nobody_named_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, namesake) = (Authority::new("ours"), Authority::new("ours"));
    let server = TlsServer::start(&authority, "127.0.0.1", NOW, "[]").await;
    let error = refused(&server, None).await;
    assert_eq!(error.detail.as_str(), "its certificate is from an authority that this system does not trust");
    assert!(error.remedy().contains("`ca_file`"), "{}", error.remedy());
    // Another authority, even one of the same name, vouches for nothing; the system's roots do not count beside `ca_file`.
    for other in [Authority::new("other"), namesake] {
        let ca = other.write(folder.path(), "other.pem");
        let error = refused(&server, Some(ca.clone())).await;
        assert_eq!(error.detail.as_str(), format!("its certificate is from none of the authorities in {}", ca.display()));
        assert_eq!(error.remedy(), "put the certificate of its authority into that file");
    }
}

#[tokio::test]
async fn a_ca_file_that_is_none_is_said_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let server = TlsServer::start(&Authority::new("ours"), "127.0.0.1", NOW, "[]").await;
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate at all").unwrap();
    for (file, words) in [(empty, "no certificate in it"), (folder.path().join("nowhere.pem"), "No such file")] {
        let error = refused(&server, Some(file.clone())).await;
        assert!(error.detail.as_str().starts_with(&format!("ca_file {}: ", file.display())) && error.detail.as_str().contains(words));
        assert!(error.remedy().contains("`ca_file`"), "{}", error.remedy());
    }
}

#[tokio::test]
async fn what_speaks_no_tls_is_said_to() {
    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", plain.local_addr().unwrap());
    let speaking = tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ = stream.write_all(b"this is no TLS\r\n").await;
        }
    });
    let error = client(&url, None).get_json("read it", "/", &[]).await.unwrap_err();
    assert_eq!((&error.kind, error.detail.as_str()), (&PortErrorKind::Unreachable, "it does not speak TLS"));
    assert!(error.remedy().contains("http://"), "{}", error.remedy());
    speaking.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_systems_roots_vouch_where_no_file_is_named_and_doctor_says_what_to_mend() {
    let authority = Authority::new("ours");
    let server = TlsServer::start(&authority, "127.0.0.1", NOW, "[]").await;
    let url = server.url();
    tokio::task::spawn_blocking(move || {
        let place = Place::with(&format!("[[backend]]\nname = \"alerts\"\nkind = \"alertmanager\"\nurl = \"{url}\"\nevery = \"200ms\"\n"));
        let said = place.run(&["doctor"]).exits(0);
        assert!(said.out.contains("from an authority that this system does not trust"), "{said:?}");
        assert!(said.out.contains("do: name the certificate of its authority in `ca_file`"), "{said:?}");
        // The variable by which every program of this kind is told where the system's roots are.
        let roots = authority.write(&place.path("."), "roots.pem");
        let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), &["doctor"]);
        let said = Place::started(command.env("SSL_CERT_FILE", roots)).end().exits(0);
        assert!(said.out.contains("fresh") && said.out.contains("0 alerts"), "{said:?}");
    })
    .await
    .unwrap();
}
