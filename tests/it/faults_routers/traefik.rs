//! Traefik alone: the file keeps everything but the weights, and is not written when it is not what was read.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gonogo::analysis::split::{Split, measure};
use gonogo::model::catalog::BackendKind;
use gonogo::model::error::PortErrorKind;
use gonogo::model::name::ServerName;

use super::{Real, adapter, name, pool, refused, unknown};
use crate::contract::traffic::{keeps, shift, weights};
use crate::servers::between::{Between, Pass};
use crate::servers::router::Router;
use crate::servers::support::{get, wait_for};
use crate::servers::traefik::{edit, file, shown, start_with};

const KIND: BackendKind = BackendKind::Traefik;

/// Gives a service another weight in the file.
pub(super) fn foreign(router: &Router, server: &str, weight: u32) {
    let sign = format!("\"name\":\"{server}\",\"weight\":{weight}");
    edit(router, &sign, |text| with_weight(text, server, weight));
}

fn with_weight(text: &str, server: &str, weight: u32) -> String {
    let at = text.find(&format!("name: {server}")).or_else(|| text.find(&format!("name = \"{server}\""))).unwrap();
    let (before, rest) = text.split_at(at);
    let digits = rest.find("weight").unwrap() + rest[rest.find("weight").unwrap()..].find(|c: char| c.is_ascii_digit()).unwrap();
    let end = digits + rest[digits..].find(|c: char| !c.is_ascii_digit()).unwrap();
    format!("{before}{}{weight}{}", &rest[..digits], &rest[end..])
}

/// Waits until Traefik shows a service without a server that is up.
pub(super) fn fell(router: &Router, service: &str) {
    wait_for("the service down", Duration::from_secs(10), || {
        get(router.api, &format!("/api/http/services/{service}@file"))?.contains("\"DOWN\"").then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_with_toml() {
    keeps(&Real::over(KIND, start_with("shop.toml", true))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_file_changes_but_the_weights() {
    let real = Real::start(KIND);
    let path = file(&real.router);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let (before, old) = (std::fs::read_to_string(&path).unwrap(), std::fs::metadata(&path).unwrap());
    real.shift(real.adapter.as_ref(), 80, 20).await.unwrap();
    let (after, new) = (std::fs::read_to_string(&path).unwrap(), std::fs::metadata(&path).unwrap());
    assert_eq!(after, before.replace("weight: 100 ", "weight: 80 ").replace("weight: 0 ", "weight: 20 "));
    assert_ne!(old.ino(), new.ino(), "renamed into place");
    assert_eq!((old.mode(), old.uid(), old.gid()), (new.mode(), new.uid(), new.gid()));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_owner_is_kept_where_we_may_give_it() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let real = Real::start(KIND);
    std::os::unix::fs::chown(file(&real.router), Some(1234), Some(5678)).unwrap();
    real.shift(real.adapter.as_ref(), 80, 20).await.unwrap();
    let new = std::fs::metadata(file(&real.router)).unwrap();
    assert_eq!((new.uid(), new.gid()), (1234, 5678));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_changed_between_reading_and_writing_is_a_conflict_and_stays_as_the_other_hand_left_it() {
    let real = Real::start(KIND);
    let (path, written) = (file(&real.router), AtomicBool::new(false));
    let other = path.clone();
    // The file is read after the API's last answer, so a change in the write itself cannot be staged from outside; hold it there.
    let held = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    held.lock().unwrap();
    let error = refused(real.shift(real.adapter.as_ref(), 80, 20).await);
    assert_eq!(error.kind, PortErrorKind::Conflict, "{error}");
    drop(held);
    let between = Between::start(real.router.api, move |_| {
        if !written.swap(true, Ordering::Relaxed) {
            let text = std::fs::read_to_string(&other).unwrap();
            std::fs::write(&other, with_weight(&text, "v2", 3)).unwrap();
        }
        Pass::On
    });
    let error = refused(real.shift(real.through(&between.url(), Duration::from_secs(5)).as_ref(), 80, 20).await);
    assert_eq!(error.kind, PortErrorKind::Conflict, "{error}");
    assert!(std::fs::read_to_string(&path).unwrap().contains("weight: 3 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_shows_another_weight_than_the_file_is_a_conflict() {
    let real = Real::start(KIND);
    let between = Between::start(real.router.api, |request| {
        if !request.contains("/api/http/services") {
            return Pass::On;
        }
        let pool = r#"{"name":"checkout@file","weighted":{"services":[{"name":"v1","weight":100},{"name":"v2","weight":5}]}}"#;
        let body = format!("[{pool},{{\"name\":\"v1@file\"}},{{\"name\":\"v2@file\"}}]");
        Pass::Say(crate::servers::fault::json(body))
    });
    let through = real.through(&between.url(), Duration::from_secs(5));
    let effect = shift(&name(KIND), &pool(KIND), weights(&[("v1", 80), ("v2", 20)]), None);
    let error = refused(through.set_weights(&effect).await);
    assert_eq!(error.kind, PortErrorKind::Conflict);
    assert!(error.detail.as_str().contains("the file gives v2 the weight 0, and Traefik shows 5"), "{error}");
    assert!(std::fs::read_to_string(file(&real.router)).unwrap().contains("weight: 100"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_is_named_with_what_to_do() {
    let real = Real::start(KIND);
    let path = file(&real.router);
    // A symbolic link and a second name, which a rename would break. Each comes into its place at once: Traefik forgets what it does not find.
    let (real_place, beside) = (real.router.folder().join("elsewhere.yml"), real.router.folder().join("beside.yml"));
    std::fs::copy(&path, &real_place).unwrap();
    std::os::unix::fs::symlink(&real_place, &beside).unwrap();
    std::fs::rename(&beside, &path).unwrap();
    let error = refused(real.shift(real.adapter.as_ref(), 80, 20).await);
    assert!(error.detail.as_str().contains("symbolic link") && error.remedy().contains("the file itself"), "{error}");
    std::fs::hard_link(&real_place, &beside).unwrap();
    std::fs::rename(&beside, &path).unwrap();
    let error = refused(real.shift(real.adapter.as_ref(), 80, 20).await);
    assert!(error.detail.as_str().contains("another name"), "{error}");
    std::fs::remove_file(&path).unwrap();
    wait_for("its end", Duration::from_secs(10), || (!shown(&real.router).contains("weighted") || path.exists()).then_some(()));
    let absent = adapter(KIND, &real.router.url(), &path, Duration::from_secs(2));
    let effect = shift(&name(KIND), &pool(KIND), weights(&[("v1", 80), ("v2", 20)]), None);
    assert_eq!(refused(absent.set_weights(&effect).await).kind, PortErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_or_forbidden_folder_leaves_the_file_as_it_was() {
    let real = Real::start(KIND);
    let path = file(&real.router);
    let before = std::fs::read(&path).unwrap();
    // A folder in the place of the new file cannot be taken away and not be made: as with no room or no right.
    let beside = path.with_file_name(format!(".shop.yml.gonogo-{}", std::process::id()));
    std::fs::create_dir_all(beside.join("x")).unwrap();
    let error = refused(real.shift(real.adapter.as_ref(), 80, 20).await);
    assert!(error.detail.as_str().contains("make the new one beside it"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::remove_dir_all(beside).unwrap();
    real.shift(real.adapter.as_ref(), 80, 20).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_traefik_that_does_not_take_the_file_in_leaves_it_unknown() {
    let mut real = Real::start(KIND);
    // It is killed once the file was read, and so shows nothing any more.
    let path = file(&real.router);
    let answers = ["/api/version", "/api/http/services?per_page=1000000", "/metrics"]
        .map(|path| (path.to_owned(), get(real.router.api, path).unwrap().into_bytes()));
    real.router.kill();
    let between = Between::start(1, move |request| {
        let asked = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let answer = answers.iter().find(|(path, _)| *path == asked).expect("a known path");
        Pass::Say(answer.1.clone())
    });
    let through = real.through(&between.url(), Duration::from_secs(1));
    let error = unknown(real.shift(through.as_ref(), 80, 20).await);
    assert_eq!(error.kind, PortErrorKind::Conflict, "{error}");
    assert!(error.detail.as_str().contains("Traefik still shows others"), "{error}");
    assert!(std::fs::read_to_string(&path).unwrap().contains("weight: 80"));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_that_are_none_of_ours_leave_everything_else_readable() {
    let real = Real::start(KIND);
    let strange = [
        crate::servers::fault::answer("302 Found", "Location: /dashboard/\r\n", ""),
        crate::servers::fault::answer("200 OK", "Content-Type: text/html\r\n", "<html>"),
        crate::servers::fault::answer("401 Unauthorized", "", "who"),
        crate::servers::fault::answer("200 OK", "Content-Type: text/plain\r\n", "nothing here\n"),
    ];
    for bytes in strange {
        let said = bytes.clone();
        let between =
            Between::start(real.router.api, move |request| if request.contains("/metrics") { Pass::Say(said.clone()) } else { Pass::On });
        let reading = real.through(&between.url(), Duration::from_secs(5)).read(&[pool(KIND)]).await.unwrap();
        let server = &reading.pools[&pool(KIND)].servers[0];
        assert_eq!((server.weight, server.requests), (100, None), "{}", String::from_utf8_lossy(&bytes));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_metrics_nothing_is_counted_and_weights_are_set_all_the_same() {
    let real = Real::over(KIND, start_with("shop.yml", false));
    real.shift(real.adapter.as_ref(), 80, 20).await.unwrap();
    let earlier = real.adapter.read(&[pool(KIND)]).await.unwrap();
    real.router.requests(20);
    let later = real.adapter.read(&[pool(KIND)]).await.unwrap();
    let slot = |name| vec![ServerName::new(name).unwrap()];
    let Split::Measured(split) = measure(&earlier, &later, &pool(KIND), &slot("v2"), &slot("v1")) else { panic!("comparable") };
    assert!(!split.counted && split.share.is_none(), "{split:?}");
}
