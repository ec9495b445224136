//! Makes the couriers of a configuration: one a webhook and one a desk, and says to the store who they are.

use std::sync::Arc;

use crate::adapters::desk::servicenow::ServiceNow;
use crate::adapters::http::{Credential, HttpClient};
use crate::adapters::notify::grafana::Grafana;
use crate::adapters::notify::otlp::Otlp;
use crate::adapters::notify::pushgateway::Pushgateway;
use crate::adapters::notify::webhook::{Resolved, Webhook};
use crate::cli::out;
use crate::config::secret::{self, SecretRef};
use crate::config::settings::{Config, DeskSettings, Format, WebhookAddress, WebhookSettings};
use crate::config::surroundings::Surroundings;
use crate::control::driver::courier::{Courier, Way};
use crate::model::error::{PortError, PortErrorKind};
use crate::model::name::BackendName;
use crate::ports::clock::Clock;
use crate::ports::notify::{Notify, Unmade};
use crate::ports::outbox::Outbox;

/// One courier a receiver. One that cannot be made says why at each try, and nothing that waits for it is lost.
pub async fn made(config: Config, around: Surroundings, clock: Arc<dyn Clock>) -> Vec<Courier> {
    // A secret may come from a command, which is waited for: not on a thread that serves the room.
    let make = move || {
        let webhooks = config.webhooks.iter().map(|settings| webhook(settings, &config, &around, &clock));
        webhooks.chain(config.desks.iter().map(|settings| desk(settings, &around, &clock))).collect()
    };
    tokio::task::spawn_blocking(make).await.unwrap_or_default()
}

/// Makes receivers known to the store, so that what is recorded from now on waits for them.
pub async fn made_known(outbox: &dyn Outbox, couriers: &[Courier]) {
    let names: Vec<BackendName> = couriers.iter().map(|courier| courier.name.clone()).collect();
    if !names.is_empty()
        && let Err(error) = outbox.know(&names).await
    {
        out::words(&format!("gonogo: receivers of notices were not made known to the store: {error}"));
    }
}

fn webhook(settings: &WebhookSettings, config: &Config, around: &Surroundings, clock: &Arc<dyn Clock>) -> Courier {
    let way = resolved(settings, around).and_then(|resolved| made_of(settings, &resolved, &config.catalog.room.name, clock));
    let way = way.unwrap_or_else(|error| Arc::new(Unmade(error)));
    Courier { name: settings.name.clone(), wants: settings.wants.clone(), way: Way::Notices(way) }
}

/// The way to a receiver, by the form in which it wants to be told.
fn made_of(settings: &WebhookSettings, resolved: &Resolved, room: &str, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Notify>, PortError> {
    let clock = clock.clone();
    Ok(match settings.format {
        Format::Structured | Format::Binary | Format::Text { .. } => Arc::new(Webhook::new(settings, resolved, room, clock)?),
        Format::Grafana => Arc::new(Grafana::new(settings, resolved, room, clock)?),
        Format::Otlp => Arc::new(Otlp::new(settings, resolved, room, clock)?),
        Format::Pushgateway => Arc::new(Pushgateway::new(settings, resolved, clock)?),
    })
}

fn desk(settings: &DeskSettings, around: &Surroundings, clock: &Arc<dyn Clock>) -> Courier {
    let resolve = |reference: &SecretRef| {
        secret::resolve(reference, &around.env)
            .map_err(|error| PortError::new(PortErrorKind::Unauthorised, &settings.name, "read its secret", &error.to_string()))
    };
    let made = || -> Result<ServiceNow, PortError> {
        let token = settings.token.as_ref().map(resolve).transpose()?;
        let basic = settings.user.clone().zip(settings.password.as_ref().map(resolve).transpose()?);
        let http = HttpClient::for_desk(settings, &Credential::of(token, basic), clock.clone())?;
        Ok(ServiceNow::new(http, settings.fields.clone(), settings.template.clone()))
    };
    let way = match made() {
        Ok(desk) => Way::Changes(Arc::new(desk), settings.opens),
        Err(error) => Way::Notices(Arc::new(Unmade(error))),
    };
    Courier { name: settings.name.clone(), wants: settings.wants.clone(), way }
}

fn resolved(settings: &WebhookSettings, around: &Surroundings) -> Result<Resolved, PortError> {
    let resolve = |reference: &SecretRef| {
        secret::resolve(reference, &around.env)
            .map_err(|error| PortError::new(PortErrorKind::Unauthorised, &settings.name, "read its secret", &error.to_string()))
    };
    let url = match &settings.address {
        WebhookAddress::Plain(url) => url.clone(),
        WebhookAddress::Secret(reference) => resolve(reference)?.expose().to_owned(),
    };
    Ok(Resolved {
        url,
        secret: settings.secret.as_ref().map(&resolve).transpose()?,
        token: settings.token.as_ref().map(&resolve).transpose()?,
    })
}
