//! Looks around for `gonogo init`: asks addresses whether a product answers there, and reads files that name more; it changes nothing.

mod ask;
mod cluster;
mod files;
mod router;

use std::sync::Arc;

use futures_util::future::join_all;

use crate::config::init::found::{Found, Missing};
use crate::config::init::places::{Asked, Places};
use crate::config::surroundings::Surroundings;
use crate::model::catalog::BackendKind;
use crate::ports::clock::Clock;

/// Looks at every place.
pub async fn look(places: &Places, around: &Surroundings, clock: Arc<dyn Clock>) -> Found {
    let (its, mut asked) = (places.clone(), places.asked.clone());
    let read = tokio::task::spawn_blocking(move || files::read(&its)).await.unwrap_or_default();
    for (place, from) in &read.sockets {
        if !asked.iter().any(|known| known.place == *place) {
            asked.push(Asked { kind: BackendKind::Haproxy, place: place.clone(), from: from.clone() });
        }
    }
    let mut found = Found {
        folder: places.folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        contexts: read.contexts,
        remotes: read.remotes,
        workflows: read.workflows,
        logins: read.logins,
        variables: places.variables.clone(),
        missing: read.missing,
        ..Found::default()
    };
    let refused = |(variable, why): &(String, String)| Missing { what: "an address".to_owned(), place: variable.clone(), why: why.clone() };
    found.missing.extend(places.refused.iter().map(refused));
    let answers = join_all(asked.iter().map(|one| async move {
        if one.kind == BackendKind::Haproxy { router::ask(&one.place, &one.from).await } else { ask::ask(one).await }
    }))
    .await;
    for (one, answer) in asked.iter().zip(answers) {
        match answer {
            Ok(seen) => found.backends.push(seen),
            Err(why) => found.missing.push(Missing { what: one.kind.word().to_owned(), place: one.place.clone(), why }),
        }
    }
    if places.asks_cluster
        && let Some(context) = found.contexts.iter_mut().find(|context| context.current)
    {
        context.cluster = Some(cluster::ask(&context.name, around, clock).await);
    }
    found
}
