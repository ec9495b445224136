//! The scenario of the benchmark: as many services as wished, in two environments, nothing broken.

use std::fmt::Write as _;

/// People, environments and one rule; services are added.
const HEAD: &str = r#"name = "fleet"
title = "Many services on a quiet day."

[[person]]
name = "ana"
operator = true
teams = ["platform"]
roles = [{ role = "release-captain" }]

[[environment]]
name = "staging"
order = 1
traffic = 0.05
hold_time = "30s"
effective_within = "20s"
min_requests = 20

[[environment]]
name = "prod"
order = 2
hold_time = "60s"
effective_within = "20s"
min_requests = 50

[[alert]]
name = "$ServiceErrors"
environment = "prod"
measure = "errors"
above = 0.5
over = "20s"
for = "10s"
severity = "page"
summary = "$service@$environment: half of all requests fail"
"#;

/// A scenario with so many services.
pub(crate) fn scenario(services: usize) -> Result<String, std::fmt::Error> {
    let mut text = HEAD.to_owned();
    for n in 0..services {
        let requests = 10 + n % 90;
        write!(
            text,
            "\n[[service]]\nname = \"service-{n:05}\"\nteam = \"platform\"\ntier = {}\nrequests = {requests}.0\nlatency = \"{}ms\"\nversion = \"1.{}.0\"\npushes = 0.0\n",
            1 + n % 3,
            20 + n % 50,
            n % 40,
        )?;
    }
    Ok(text)
}
