//! Who uses whom in the simulated world: each site calls those that its service depends on, as often as it is called itself.

use std::collections::BTreeMap;

use super::number::{real, seconds};
use super::site::Site;
use super::state::State;
use crate::model::link::{Flow, LinkAsk, LinkReading};
use crate::model::text::Text;

/// What flows between the sites of the environment that the question names.
pub(super) fn reading(state: &State, ask: &LinkAsk) -> LinkReading {
    let mut flows: BTreeMap<Text, BTreeMap<Text, Flow>> = BTreeMap::new();
    let here = |site: &&Site| ask.matching.get("environment").is_none_or(|name| name == site.target.environment.as_str());
    for site in state.sites.iter().filter(here) {
        let rate = rate(state, site, ask.window_s);
        for used in state.called_by(site) {
            if let Some(flow) = Flow::new(rate, rate * used.failing()) {
                let (user, used) = (Text::clean(site.target.service.as_str()), Text::clean(used.target.service.as_str()));
                flows.entry(user).or_default().insert(used, flow);
            }
        }
    }
    let sent = Text::clean(&format!("the calls of the simulated {}", ask.matching.get("environment").map_or("estate", String::as_str)));
    LinkReading { flows, sent, backend_clock: Some(state.now()) }
}

/// Requests a second that a site got within the window, as its servers were scraped.
fn rate(state: &State, site: &Site, window_s: u64) -> f64 {
    let oldest = state.tick.saturating_sub(i64::try_from(window_s).unwrap_or(i64::MAX));
    let of_one = |machine: &super::site::Machine| {
        let first = machine.scrapes.iter().find(|scrape| scrape.tick >= oldest)?;
        let last = machine.scrapes.back()?;
        (last.tick > first.tick).then(|| real(last.requests.saturating_sub(first.requests)) / seconds(last.tick - first.tick))
    };
    site.machines().filter_map(of_one).sum()
}
