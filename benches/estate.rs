//! The configured estate of the benchmark: as many services as wished, half of what is asked of them at a Prometheus that answers, the
//! other half at one that is dead.

use std::fmt::Write as _;
use std::path::Path;

/// What a configuration of many services reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sources {
    /// A Prometheus on this port that answers, and a dead one.
    LiveAndDead(u16),
    /// Nobody: no backend is configured, so that nothing is polled.
    None,
}

/// A configuration of so many services with its store beneath `home`.
pub(crate) fn configuration(services: usize, sources: Sources, home: &Path) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let store = home.join("store");
    write!(
        text,
        "[room]\nname = \"estate\"\n\n[store]\npath = {:?}\n\n[[environment]]\nname = \"prod\"\norder = 1\n",
        store.display().to_string()
    )?;
    if let Sources::LiveAndDead(port) = sources {
        // Nobody listens on the port of discard here.
        for (name, port) in [("live", port), ("dead", 9)] {
            write!(text, "\n[[backend]]\nname = \"{name}\"\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:{port}\"\nevery = \"5s\"\n")?;
        }
    }
    for n in 0..services {
        write!(
            text,
            "\n[[service]]\nname = \"service-{n:05}\"\nteam = \"platform\"\ntier = {}\n[service.deploy.prod]\nstrategy = \"canary\"\n",
            1 + n % 3
        )?;
        if let Sources::LiveAndDead(_) = sources {
            text.push_str("version = { backend = \"live\", query = 'app_info{service=\"$service\"}', label = \"version\" }\n");
            text.push_str("[[service.signal]]\nname = \"errors\"\nkind = \"ratio\"\nbackend = \"live\"\nlimit = 0.01\ncritical = true\n");
            text.push_str("bad = 'http_errors_total{service=\"$service\",track=\"$track\"}'\n");
            text.push_str("total = 'http_requests_total{service=\"$service\",track=\"$track\"}'\n");
            text.push_str(
                "[[service.signal]]\nname = \"load\"\nkind = \"value\"\nbackend = \"dead\"\nquery = 'load{service=\"$service\"}'\n",
            );
        }
    }
    Ok(text)
}
