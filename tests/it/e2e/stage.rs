//! The servers of one test, the service behind them, the people who use it, and the home of the room.

use std::time::Duration;

use serde_json::Value;

use crate::headless::place::Place;
use crate::pty::Term;
use crate::servers::alertmanager::Alertmanager;
use crate::servers::buildbot::Buildbot;
use crate::servers::haproxy::{Haproxy, Line, PoolLines};
use crate::servers::prometheus::Prometheus;
use crate::servers::service::{Load, Service, Spec, Tally};
use crate::servers::support::wait_for;

/// Long enough for anything that needs several polls of all servers on a busy machine.
pub const LONG: Duration = Duration::from_mins(1);
/// The pool of the service.
pub const POOL: &str = "be_checkout";

/// An alert on the share of errors of the canary.
const RULES: &str = "- name: checkout\n  rules:\n  - alert: CheckoutErrors\n    \
    expr: sum(rate(http_requests_total{service=\"checkout\",track=\"canary\",code=~\"5..\"}[5s])) > 0.5\n    \
    labels: {service: checkout, severity: critical}\n    annotations: {summary: the canary answers with errors}\n";

/// What a stage has beside a router and monitoring.
#[derive(Debug, Clone, Copy, Default)]
pub struct With {
    /// Alertmanager and a rule.
    pub alerts: bool,
    /// Buildbot: pipeline and deployments.
    pub builds: bool,
    /// The configured weights of the two servers.
    pub weights: (u32, u32),
    /// The time for which an effect is watched, as the configuration writes it.
    pub hold_time: &'static str,
}

/// The servers, the two versions, the home.
pub struct Stage {
    /// The stable version, `v1`.
    pub old: Service,
    /// The version on trial, `v2`.
    pub new: Service,
    /// The router.
    pub haproxy: Haproxy,
    /// The home of the room and of every verb.
    pub place: Place,
    _prometheus: Prometheus,
    _alertmanager: Option<Alertmanager>,
}

impl Stage {
    /// Starts everything.
    pub fn start(with: With) -> Self {
        let old = Service::start(Spec::new("checkout", "v1", "2.4.1", "stable"));
        let new = Service::start(Spec::new("checkout", "v2", "2.5.0", "canary"));
        let line = |name, weight, service: &Service| Line::new(name, weight).at(service.address().port());
        let haproxy = Haproxy::start(&[PoolLines {
            name: POOL,
            balance: "roundrobin",
            servers: vec![line("v1", with.weights.0, &old), line("v2", with.weights.1, &new)],
        }]);
        let alertmanager = with.alerts.then(Alertmanager::start);
        let told = alertmanager.as_ref().map(|one| {
            format!("alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{}']}}]}}]}}\n", one.port)
        });
        let rules = if with.alerts { RULES } else { "" };
        let prometheus = Prometheus::start(&[old.address().port(), new.address().port()], rules, &told.unwrap_or_default());
        let config = config(with, &haproxy, &prometheus, alertmanager.as_ref());
        Self { old, new, haproxy, place: Place::with(&config), _prometheus: prometheus, _alertmanager: alertmanager }
    }

    /// People use the service through the router.
    pub fn load(&self) -> Load {
        Load::start(([127, 0, 0, 1], self.haproxy.port).into(), 60, 100_000, Duration::from_mins(5))
    }

    /// Opens the room.
    pub fn room(&self) -> Term {
        Term::start_in(self.place.home(), &[], (120, 40), &[])
    }

    /// The weight of a server as the router says it.
    pub fn weight(&self, server: &str) -> u32 {
        let answer = self.haproxy.ask(&format!("get weight {POOL}/{server}"));
        answer.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
    }

    /// Waits until the people sent so many requests more.
    pub fn after(&self, load: &Load, requests: u64) -> Tally {
        let from = load.tally().sent;
        wait_for("more requests", LONG, || Some(load.tally()).filter(|tally| tally.sent >= from + requests))
    }

    /// The entries of the ledger, oldest first, as a command line beside the room reads them.
    #[track_caller]
    pub fn entries(&self) -> Vec<Value> {
        self.place.json(0, &["ledger", "list"])["entries"].as_array().unwrap().clone()
    }

    /// The kinds of the entries of the newest deed with this verb.
    #[track_caller]
    pub fn kinds(&self, verb: &str) -> Vec<String> {
        let entries = self.entries();
        let newest = entries.iter().rev().find(|entry| entry["verb"] == verb).unwrap_or_else(|| panic!("no {verb} in {entries:#?}"));
        let of = entries.iter().filter(|entry| entry["deed"] == newest["deed"]);
        of.map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
    }

    /// The ledger verifies.
    #[track_caller]
    pub fn intact(&self) {
        let verified = self.place.json(0, &["ledger", "verify"]);
        assert_eq!(verified["intact"], true, "{verified}");
    }
}

/// No deed of one step was sent twice.
#[track_caller]
pub fn sent_once(entries: &[Value]) {
    let mut seen = std::collections::BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry["kind"] == "sending") {
        assert!(seen.insert(entry["deed"].to_string()), "sent twice: {entry} in {entries:#?}");
    }
}

fn config(with: With, haproxy: &Haproxy, prometheus: &Prometheus, alertmanager: Option<&Alertmanager>) -> String {
    let gonogo::config::settings::Address::Unix(socket) = haproxy.unix() else { panic!("no UNIX socket") };
    let mut text = format!(
        "[[backend]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"{}\"\nevery = \"1s\"\nstale_after = \"20s\"\n\
         [[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = \"{}\"\nevery = \"500ms\"\nstale_after = \"20s\"\nlookup_within = \"10s\"\n",
        prometheus.url(),
        socket.display()
    );
    if let Some(alertmanager) = alertmanager {
        text += &format!("[[backend]]\nname = \"alerts\"\nkind = \"alertmanager\"\nurl = \"{}\"\nevery = \"1s\"\nstale_after = \"20s\"\n", alertmanager.url());
    }
    if with.builds {
        let url = Buildbot::shared().url();
        text += &format!("[[backend]]\nname = \"ci\"\nkind = \"buildbot\"\nurl = \"{url}\"\nevery = \"1s\"\nstale_after = \"20s\"\n");
    }
    text += &format!(
        "[[environment]]\nname = \"prod\"\norder = 3\nhold_time = \"{}\"\neffective_within = \"40s\"\nmin_requests = 50\n\
         [[service]]\nname = \"checkout\"\nteam = \"payments\"\ntier = 1\n",
        with.hold_time
    );
    if with.alerts {
        text += "alerts = { backend = \"alerts\", match = { service = \"$service\" } }\n";
    }
    if with.builds {
        text += "pipeline = { backend = \"ci\", builder = \"checkout\", scheduler = \"force\", properties = { gonogo_key = \"$key\" } }\n";
    }
    text += &format!(
        "[service.deploy.prod]\nstrategy = \"canary\"\nsteps = [5, 20, 50, 100]\n\
         traffic = [{{ backend = \"edge\", pool = \"{POOL}\", stable = [\"v1\"], canary = [\"v2\"] }}]\n\
         version = {{ backend = \"prom\", query = 'app_info{{service=\"$service\",slot=\"$slot\"}}', label = \"version\", digest = \"digest\" }}\n"
    );
    if with.builds {
        text += "deploy = { backend = \"ci\", builder = \"checkout-deploy\", scheduler = \"force\", properties = { environment = \"$environment\", slot = \"$slot\", version = \"$version\", gonogo_key = \"$key\" } }\n";
    }
    text
        + "[[service.signal]]\nname = \"errors\"\nkind = \"ratio\"\nbackend = \"prom\"\n\
           bad = 'http_requests_total{service=\"$service\",track=\"$track\",code=~\"5..\"}'\n\
           total = 'http_requests_total{service=\"$service\",track=\"$track\"}'\nbetter = \"lower\"\nlimit = 0.01\ncritical = true\n"
}
