//! What HAProxy's answers mean: process, servers, weights, states and counters, by the name of a field and never by its place.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use chrono::DateTime;

use crate::model::error::PortErrorKind;
use crate::model::name::{PoolName, ServerName};
use crate::model::text::Text;
use crate::model::traffic::{Pool, RouterProcess, Server, ServerState, TrafficReading};

use super::{GREATEST_WEIGHT, SetWeights};

/// Why an answer says nothing that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    /// HAProxy refused.
    #[error("it answers `{0}`")]
    Refused(Text),
    /// The answer could not be understood.
    #[error("{0}")]
    Malformed(String),
    /// The process that answered is on its way out.
    #[error("process {0} answered, which is stopping: a reload is under way")]
    Stopping(u32),
}

impl Wrong {
    /// The kind of the port's failure.
    pub(super) fn kind(&self) -> PortErrorKind {
        match self {
            Self::Refused(words) => refusal(words.as_str()),
            Self::Malformed(_) => PortErrorKind::Malformed,
            Self::Stopping(_) => PortErrorKind::Unreachable,
        }
    }
}

/// The kind of a refusal by HAProxy's words.
pub(super) fn refusal(words: &str) -> PortErrorKind {
    if words.contains("Permission denied") {
        PortErrorKind::Forbidden
    } else if ["No such server", "No such backend", "No such proxy", "Can't find backend"].iter().any(|start| words.starts_with(start)) {
        PortErrorKind::NotFound
    } else {
        PortErrorKind::Refused
    }
}

fn malformed(what: impl Into<String>) -> Wrong {
    Wrong::Malformed(what.into())
}

/// A piece of an answer, short enough for an error.
fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Why the answer to `what`, which begins with `line`, is none.
fn unreadable(what: &str, line: &str) -> Wrong {
    if refusal(line) == PortErrorKind::Forbidden {
        return Wrong::Refused(Text::clean_within(line, 200));
    }
    malformed(format!("the answer to {what} begins `{}`", excerpt(line)))
}

fn number<T: FromStr>(field: &str, value: &str) -> Result<T, Wrong> {
    value.parse().map_err(|_| malformed(format!("`{}` is no number for {field}", excerpt(value))))
}

/// `show info`.
pub(super) fn process(info: &str) -> Result<RouterProcess, Wrong> {
    let fields: BTreeMap<&str, &str> = info.lines().filter_map(|line| line.split_once(": ")).collect();
    let Some(pid) = fields.get("Pid") else {
        return Err(unreadable("`show info`", info.lines().next().unwrap_or_default()));
    };
    let pid = number("Pid", pid)?;
    if fields.get("Stopping").is_some_and(|stopping| *stopping != "0") {
        return Err(Wrong::Stopping(pid));
    }
    let start: Option<u64> = fields.get("Start_time_sec").map(|start| number("Start_time_sec", start)).transpose()?;
    let started = start.and_then(|start| i64::try_from(start).ok()).and_then(|start| DateTime::from_timestamp(start, 0));
    let version = Text::clean_within(fields.get("Version").copied().unwrap_or("unknown"), 100);
    Ok(RouterProcess { version, pid: Some(pid), started, start_mark: start.unwrap_or(0) })
}

/// One server as `show servers state` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stand {
    /// Its name.
    pub(super) name: ServerName,
    /// Its state.
    pub(super) state: ServerState,
    /// The weight that was set.
    pub(super) weight: u32,
    initial: u32,
}

/// The servers of each pool in `show servers state`; a name that could not be configured here is left out.
fn stands(answer: &str) -> Result<BTreeMap<String, Vec<Stand>>, Wrong> {
    let mut lines = answer.lines();
    let version = lines.next().unwrap_or_default();
    if version != "1" {
        return Err(unreadable("`show servers state`, expected in format 1,", version));
    }
    let names: Vec<&str> = lines.next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default().split_whitespace().collect();
    let mut pools: BTreeMap<String, Vec<Stand>> = BTreeMap::new();
    for line in lines {
        let values: Vec<&str> = line.split_whitespace().collect();
        let field = |name: &str| {
            let place = names.iter().position(|known| *known == name);
            place.and_then(|place| values.get(place).copied()).ok_or_else(|| malformed(format!("servers state has no {name}")))
        };
        let pool = pools.entry(field("be_name")?.to_owned()).or_default();
        let Ok(name) = ServerName::new(field("srv_name")?) else { continue };
        let state = state(number("srv_op_state", field("srv_op_state")?)?, number("srv_admin_state", field("srv_admin_state")?)?)?;
        let weight = number("srv_uweight", field("srv_uweight")?)?;
        let initial = number("srv_iweight", field("srv_iweight")?)?;
        pool.push(Stand { name, state, weight, initial });
    }
    Ok(pools)
}

/// The servers of one pool in the answer to `show servers state POOL`; none when there is no such pool.
pub(super) fn stands_of(pool: &PoolName, answer: &str) -> Result<Option<Vec<Stand>>, Wrong> {
    if refusal(answer) == PortErrorKind::NotFound {
        return Ok(None);
    }
    let mut pools = stands(answer)?;
    Ok(Some(pools.remove(pool.as_str()).unwrap_or_default()))
}

/// The process and all of its pools, in the answers to `show info` and `show servers state`.
pub(super) fn pools(answers: &[String]) -> Result<(RouterProcess, Vec<SetWeights>), Wrong> {
    let [info, state] = answers else { return Err(malformed("it gave not one answer to each of two questions")) };
    let process = process(info)?;
    let set = |stands: Vec<Stand>| stands.iter().map(|stand| (stand.name.to_string(), stand.weight)).collect();
    Ok((process, stands(state)?.into_iter().map(|(name, servers)| (name, set(servers))).collect()))
}

/// A server's state. Bit 4 of the administrative state only remembers `disabled` in the configuration: it stays after
/// the server was made ready, and a disabled one has bit 1 beside it. Bit 0x40 only says that its name was set by hand.
fn state(operational: u32, administrative: u32) -> Result<ServerState, Wrong> {
    const MAINTENANCE: u32 = 0x01 | 0x02 | 0x20;
    const DRAIN: u32 = 0x08 | 0x10;
    if administrative & MAINTENANCE != 0 {
        return Ok(ServerState::Maintenance);
    }
    match operational {
        // What an operator said stands before what its checks say: ready alone brings it back.
        _ if administrative & DRAIN != 0 => Ok(ServerState::Draining),
        0 => Ok(ServerState::Down),
        1 => Ok(ServerState::Starting),
        2 => Ok(ServerState::Up),
        3 => Ok(ServerState::Draining),
        other => Err(malformed(format!("srv_op_state {other} is unknown"))),
    }
}

/// What `show stat` counts for one server.
struct Counts {
    effective: u32,
    requests: u64,
    errors: Option<u64>,
    current: u64,
}

/// The counters of each server by pool and server name.
fn counts(answer: &str) -> Result<BTreeMap<(String, String), Counts>, Wrong> {
    let mut lines = answer.lines();
    let header = lines.next().unwrap_or_default();
    let Some(names) = header.strip_prefix("# ").map(row) else {
        return Err(unreadable("`show stat`, expected with names of fields,", header));
    };
    let mut counts = BTreeMap::new();
    for line in lines {
        let values = row(line);
        if values.len() != names.len() {
            return Err(malformed(format!("statistics have {} values under {} names", values.len(), names.len())));
        }
        let field = |name: &str| {
            let place = names.iter().position(|known| known == name);
            place.and_then(|place| values.get(place)).map(String::as_str).ok_or_else(|| malformed(format!("statistics have no {name}")))
        };
        let errors = match field("hrsp_5xx")? {
            "" => None,
            errors => Some(number("hrsp_5xx", errors)?),
        };
        let key = (field("pxname")?.to_owned(), field("svname")?.to_owned());
        let of_server = Counts {
            effective: number("weight", field("weight")?)?,
            requests: number("stot", field("stot")?)?,
            errors,
            current: number("scur", field("scur")?)?,
        };
        counts.insert(key, of_server);
    }
    Ok(counts)
}

/// One line of comma-separated values, some within double quotes in which a doubled quote is one.
fn row(line: &str) -> Vec<String> {
    let mut values = vec![];
    let mut value = String::new();
    let mut within = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if within && chars.peek() == Some(&'"') => {
                chars.next();
                value.push('"');
            }
            '"' => within = !within,
            ',' if !within => values.push(std::mem::take(&mut value)),
            c => value.push(c),
        }
    }
    values.push(value);
    values
}

/// Puts a reading together. With `each` there is, after `show info`, a pair of answers for each pool in order, else one pair for all.
pub(super) fn reading(asked: &BTreeSet<&PoolName>, each: bool, answers: &[String]) -> Result<TrafficReading, Wrong> {
    let mut answers = answers.iter().map(String::as_str);
    let process = process(answers.next().unwrap_or_default())?;
    let mut reading = TrafficReading { process, pools: BTreeMap::new(), missing: Vec::new() };
    let mut all = None;
    if !each {
        all = Some((stands(answers.next().unwrap_or_default())?, counts(answers.next().unwrap_or_default())?));
    }
    for name in asked {
        let pool = if let Some((stands, counts)) = &all {
            stands.get(name.as_str()).map(|stands| pool(name, stands, counts)).transpose()?
        } else {
            let stands = stands_of(name, answers.next().unwrap_or_default())?;
            let statistics = answers.next().unwrap_or_default();
            stands.map(|stands| pool(name, &stands, &counts(statistics)?)).transpose()?
        };
        match pool {
            Some(pool) => {
                reading.pools.insert((*name).clone(), pool);
            }
            None => reading.missing.push((*name).clone()),
        }
    }
    Ok(reading)
}

fn pool(name: &PoolName, stands: &[Stand], counts: &BTreeMap<(String, String), Counts>) -> Result<Pool, Wrong> {
    let servers = stands.iter().map(|stand| {
        let key = (name.as_str().to_owned(), stand.name.as_str().to_owned());
        let counts = counts.get(&key).ok_or_else(|| malformed(format!("no statistics of {name}/{}", stand.name)))?;
        // HAProxy goes on telling the weight of a server that takes nothing.
        let effective_weight = match stand.state {
            ServerState::Up | ServerState::Starting => counts.effective,
            ServerState::Draining | ServerState::Maintenance | ServerState::Down => 0,
        };
        Ok(Server {
            name: stand.name.clone(),
            weight: stand.weight,
            effective_weight,
            initial_weight: stand.initial,
            greatest_weight: GREATEST_WEIGHT,
            state: stand.state,
            requests: Some(counts.requests),
            errors: counts.errors,
            current: counts.current,
        })
    });
    Ok(Pool { name: name.clone(), servers: servers.collect::<Result<_, Wrong>>()?, copies: false, ways: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATES: &str = "1\n# be_id be_name srv_id srv_name srv_op_state srv_admin_state srv_uweight srv_iweight\n3 be 1 v1 2 0 80 100\n";

    #[test]
    fn a_field_is_found_by_its_name_wherever_it_stands() {
        let moved = "1\n# srv_iweight srv_uweight srv_name be_name srv_admin_state new srv_op_state\n100 80 v1 be 0 x 2\n";
        let be = PoolName::new("be").unwrap();
        assert_eq!(stands_of(&be, moved).unwrap(), stands_of(&be, STATES).unwrap());
    }

    #[test]
    fn a_later_format_of_servers_state_is_refused() {
        assert!(matches!(stands(&STATES.replacen('1', "2", 1)), Err(Wrong::Malformed(_))));
    }

    #[test]
    fn quoted_values_may_hold_commas_and_quotes() {
        assert_eq!(row(r#"be,"a ""b"", c",,1"#), ["be", r#"a "b", c"#, "", "1"]);
    }

    #[test]
    fn a_process_that_is_stopping_is_not_read() {
        assert_eq!(process("Pid: 7\nStopping: 1\nStart_time_sec: 5\n"), Err(Wrong::Stopping(7)));
        assert_eq!(process("Pid: 7\nStopping: 0\nStart_time_sec: 5\n").unwrap().start_mark, 5);
    }

    #[test]
    fn refusals_have_the_kind_of_their_words() {
        assert_eq!(refusal("Permission denied\n"), PortErrorKind::Forbidden);
        assert_eq!(refusal("No such server.\n"), PortErrorKind::NotFound);
        assert_eq!(refusal("Absolute weight can only be between 0 and 256 inclusive.\n"), PortErrorKind::Refused);
        assert_eq!(process("Permission denied\n").unwrap_err().kind(), PortErrorKind::Forbidden);
    }

    #[test]
    fn a_name_that_cannot_be_configured_is_left_out() {
        let strange = format!("{STATES}3 be 2 v2:\u{1b}x 2 0 1 1\n");
        assert_eq!(stands_of(&PoolName::new("be").unwrap(), &strange).unwrap().unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn no_answer_panics(info in ".{0,80}", state in "(1\n# )?.{0,80}", statistics in "(# )?.{0,80}", each in any::<bool>()) {
            let be = PoolName::new("be").unwrap();
            let _ = reading(&BTreeSet::from([&be]), each, &[format!("Pid: 1\n{info}"), state, statistics]);
        }
    }
}
