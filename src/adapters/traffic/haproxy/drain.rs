//! Draining a server and making it ready: compare, write, read back.

use crate::adapters::traffic::rules;
use crate::model::deed::Effect;
use crate::model::error::{PortErrorKind, SendError};
use crate::model::name::{PoolName, ServerName};
use crate::model::plan::StepEffect;
use crate::model::traffic::ServerState;

use super::{Haproxy, answer};

/// The command that sets what an operator says of a server: `set server B/S state drain` or `ready`, HAProxy Management Guide 9.3.
pub(super) fn command(pool: &PoolName, server: &ServerName, drains: bool) -> String {
    format!("set server {pool}/{server} state {}", if drains { "drain" } else { "ready" })
}

/// Carries out a drain effect as [`crate::ports::traffic::Traffic::drain`] says.
pub(super) async fn drain(router: &Haproxy, effect: &Effect) -> Result<(), SendError> {
    let StepEffect::Drain { backend, pool, server, drains, was } = effect.what() else {
        return Err(SendError::NotDone(router.error(PortErrorKind::Unsupported, "drain a server", "the effect is another one")));
    };
    let doing = format!("have server {server} of pool {pool} {}", if *drains { "drain" } else { "ready" });
    let not_done = |kind, detail: &str| SendError::NotDone(router.error(kind, &doing, detail));
    if backend != &router.name {
        return Err(not_done(PortErrorKind::Unsupported, &format!("the effect is for {backend}")));
    }
    let reading = router.read_pools(std::slice::from_ref(pool), &doing).await.map_err(SendError::NotDone)?;
    let found = reading.pools.get(pool).ok_or_else(|| not_done(PortErrorKind::NotFound, "there is no such pool"))?;
    let wished = ServerState::wished(*drains);
    if rules::may_drain(found, server, *was, wished).map_err(|(kind, detail)| not_done(kind, &detail))? {
        return Ok(());
    }
    let commands = ["show info".to_owned(), command(pool, server, *drains), format!("show servers state {pool}")];
    let answers = match router.exchange(&commands).await {
        Ok(answers) => answers,
        Err(failure) if !failure.sent => return Err(not_done(failure.kind, &failure.detail)),
        Err(failure) => return Err(SendError::Unknown(router.error(failure.kind, &doing, &failure.detail))),
    };
    let unknown = |kind, detail: &str| SendError::Unknown(router.error(kind, &doing, detail));
    let [info, said, state] = answers.as_slice() else { return Err(unknown(PortErrorKind::Malformed, "not three answers")) };
    answer::process(info).map_err(|wrong| unknown(wrong.kind(), &wrong.to_string()))?;
    let stands = answer::stands_of(pool, state).map_err(|wrong| unknown(wrong.kind(), &wrong.to_string()))?;
    let stands = stands.into_iter().flatten().find(|stand| &stand.name == server);
    let Some(stands) = stands else { return Err(unknown(PortErrorKind::NotFound, &format!("server {server} is gone"))) };
    match stands.state.by_word() {
        now if now == wished => Ok(()),
        now if now == *was && !said.trim().is_empty() => Err(not_done(answer::refusal(said), &format!("it answers `{}`", said.trim_end()))),
        now if now == *was => Err(not_done(PortErrorKind::Refused, "it said nothing against it, and the server did not change")),
        now => Err(unknown(PortErrorKind::Conflict, &format!("another hand was there: the server is {}", now.words()))),
    }
}
