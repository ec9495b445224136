//! Where the attacks happen: four captains behind one account, each with an agent; a router, monitoring, and a GitHub with real history.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use gonogo::adapters::clock::SystemClock;
use gonogo::model::approval::Attempt;
use gonogo::model::reason::Reason;
use gonogo::model::text::Text;
use gonogo::model::time::{Boot, Moment};
use gonogo::ports::clock::Clock;
use gonogo::ports::ledger::Ledger as _;
use gonogo::store::SqliteStore;
use serde_json::Value;

use crate::headless::place::{Pair, Place, Room, Said, os_user, texts};
use crate::servers::agent::Agent;
use crate::servers::github::{Lab, REPOSITORY, TOKEN};
use crate::servers::history::{History, Who};

/// The captains.
pub const PEOPLE: [&str; 4] = ["ana", "bo", "cy", "dee"];
/// Somebody's configured account and address.
pub const ANA: Who = Who("ana-gh", "ana@shop.example");
/// Somebody's configured account and address.
pub const BO: Who = Who("bo-gh", "bo@shop.example");
/// Somebody's configured account and address.
pub const DEE: Who = Who("dee-gh", "dee@shop.example");
/// The tag of the version that runs.
pub const OLD: &str = "v2.4.1";
/// The tag of the version on trial.
pub const NEW: &str = "v2.5.0";
const GATES: &str = "check = { authors = \"require\" }";

/// A place with everything that an attack needs.
pub struct Stage {
    /// The servers.
    pub pair: Arc<Pair>,
    /// The pool of `checkout`.
    pub pool: String,
    /// The source of changes.
    pub lab: Lab,
    /// The home of all of them.
    pub place: Place,
    agents: BTreeMap<&'static str, Agent>,
    config: String,
}

impl Stage {
    /// A stage on which `made` made what lies between the two versions.
    pub fn new(made: impl FnOnce(&mut History)) -> Self {
        Self::with("T0", GATES, made)
    }

    /// The same at another tier or with other gates.
    pub fn with(assurance: &str, gates: &str, made: impl FnOnce(&mut History)) -> Self {
        let (pair, pool, lab) = (Pair::shared(), Pair::pool(), Lab::start(false));
        let mut agents: BTreeMap<&str, Agent> = BTreeMap::new();
        let mut key = |name: &'static str, file: &str| agents.entry(name).or_insert_with(Agent::start).add(file, &["-t", "ed25519"]);
        let person = |name: &str, keys: &[String]| {
            let keys: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
            format!(
                "[[person]]\nname = \"{name}\"\nos_user = \"{}\"\nkeys = [{}]\nemails = [\"{name}@shop.example\"]\nlogins = {{ github = \"{name}-gh\" }}\n\
                 bots = [\"{name}-bot\"]\nroles = [{{ role = \"captain\" }}]\n",
                os_user(),
                keys.join(", ")
            )
        };
        let mut people = person("ana", &[key("ana", "ana"), key("ana's second", "second")]);
        for name in &PEOPLE[1..] {
            people += &person(name, &[key(name, name)]);
        }
        let protection = "protection = { approvals = 1, approver_roles = [\"captain\"] }";
        let environment = format!("hold_time = \"1s\"\neffective_within = \"20s\"\nassurance = \"{assurance}\"\n{protection}\n{gates}");
        let other = Pair::pool();
        let more = format!(
            "[[backend]]\nname = \"hub\"\nkind = \"github\"\nurl = \"{}\"\ntoken = {{ env = \"GITHUB_TOKEN\" }}\nevery = \"1s\"\nstale_after = \"30s\"\n\
             [[service]]\nname = \"mail\"\n[service.deploy.prod]\nstrategy = \"canary\"\n\
             traffic = [{{ backend = \"edge\", pool = \"{other}\", stable = [\"v1\"], canary = [\"v2\"] }}]\n\
             version = {{ backend = \"prom\", query = 'app_info{{slot=\"$slot\"}}', label = \"version\" }}\n",
            lab.url()
        );
        let text = Room { environment, people, more, ..pair.room(&pool) }.text();
        let repository = format!("repository = {{ backend = \"hub\", name = \"{REPOSITORY}\", tag = \"v$version\" }}");
        let config = text.replacen("team = \"payments\"", &format!("team = \"payments\"\n{repository}"), 1).replacen(
            "name = \"mail\"",
            &format!("name = \"mail\"\n{repository}"),
            1,
        );
        {
            let mut state = lab.state();
            let first = state.history.commit(&[], DEE, DEE, "Begin");
            state.history.name(OLD, &first);
            state.history.name("first", &first);
            made(&mut state.history);
        }
        Self { place: Place::with(&config), pair, pool, lab, agents, config }
    }

    /// The socket of somebody's agent.
    pub fn socket(&self, who: &str) -> std::path::PathBuf {
        self.agents[who].socket()
    }

    /// Runs gonogo as somebody.
    #[track_caller]
    pub fn run(&self, who: &str, args: &[&str]) -> Said {
        self.run_by(&self.socket(who), args)
    }

    /// Runs gonogo with the agent at a socket.
    #[track_caller]
    pub fn run_by(&self, socket: &std::path::Path, args: &[&str]) -> Said {
        let mut command = self.place.command(env!("CARGO_BIN_EXE_gonogo"), args);
        Place::started(command.env("SSH_AUTH_SOCK", socket).env("GITHUB_TOKEN", TOKEN)).end()
    }

    /// The same with `--json`, which must end with this code.
    #[track_caller]
    pub fn json(&self, code: i32, who: &str, args: &[&str]) -> Value {
        let args: Vec<_> = args.iter().copied().chain(["--json"]).collect();
        self.run(who, &args).exits(code).json()
    }

    /// Somebody asks for a share; the identity of the plan, which waits.
    #[track_caller]
    pub fn asks(&self, who: &str, percent: &str) -> String {
        self.json(4, who, &["shift", "checkout@prod", percent, "--yes"])["plan"].as_str().unwrap().to_owned()
    }

    /// Somebody approves.
    #[track_caller]
    pub fn approves(&self, who: &str, plan: &str) {
        self.run(who, &["approve", "checkout@prod", "--plan", plan]).exits(0);
    }

    /// Somebody may not approve, by this rule, and that is on record.
    #[track_caller]
    pub fn may_not_approve(&self, who: &str, plan: &str, rule: &str, words: &str) {
        let before = self.denials().len();
        let said = self.json(3, who, &["approve", "checkout@prod", "--plan", plan]);
        assert_eq!(said["reasons"][0]["rule"], rule, "{said}");
        assert!(said["reasons"][0]["text"].as_str().unwrap().contains(words), "{said}");
        self.denied_since(before, rule);
    }

    /// Somebody may not carry the plan out, by this rule, and that is on record.
    #[track_caller]
    pub fn may_not_execute(&self, who: &str, plan: &str, code: i32, rule: &str) {
        let before = self.denials().len();
        let said = self.run(who, &["execute", plan, "--yes", "--json"]).exits(code);
        self.denied_since(before, rule);
        if !said.out.is_empty() {
            assert!(texts(&said.json()["reasons"], "rule").contains(&rule.to_owned()), "{said:?}");
        }
        self.nothing_moved();
    }

    /// No traffic goes to the version on trial.
    #[track_caller]
    pub fn nothing_moved(&self) {
        assert_eq!(self.pair.weight(&self.pool), 0);
        assert!(!self.place.kinds().contains(&"intent".to_owned()), "{:?}", self.place.kinds());
    }

    /// The numbers of the denials on record.
    pub fn denials(&self) -> Vec<u64> {
        let listed = self.run("ana", &["ledger", "list", "--json"]);
        if listed.code != Some(0) {
            return Vec::new();
        }
        let entries = listed.json()["entries"].clone();
        entries.as_array().unwrap().iter().filter(|entry| entry["kind"] == "denied").map(|entry| entry["n"].as_u64().unwrap()).collect()
    }

    /// One denial more than before is on record, whose reasons have this rule.
    #[track_caller]
    pub fn denied_since(&self, before: usize, rule: &str) {
        let denials = self.denials();
        assert_eq!(denials.len(), before + 1, "no denial was recorded");
        let entry = self.json(0, "ana", &["ledger", "show", &denials.last().unwrap().to_string()]);
        let rules = texts(&entry["body"]["reasons"], "rule");
        assert!(rules.contains(&rule.to_owned()), "{rule} in {entry}");
        assert!(entry["evidence"].is_null() || entry["evidence"]["whole"] == true, "{entry}");
    }

    /// Changes the configuration.
    pub fn reconfigure(&self, from: &str, to: &str) {
        self.rewrite(&[(from, to)]);
    }

    /// Changes the configuration in several places.
    pub fn rewrite(&self, edits: &[(&str, &str)]) {
        let mut config = self.config.clone();
        for (from, to) in edits {
            assert!(config.contains(from), "{from}");
            config = config.replacen(from, to, 1);
        }
        self.place.configure(&config);
    }

    /// Another process of the store has a clock that is this much ahead, and writes an entry: to the ledger the clock of every process
    /// that comes after it was set back by as much.
    pub fn set_back(&self, span: TimeDelta) {
        let writes = async {
            let clock: Arc<dyn Clock> = Arc::new(Ahead(span));
            let store = SqliteStore::open(&self.place.store(), clock, None).await.unwrap();
            let (what, digits, person) = ("execute", Text::clean("00000000"), "os:elsewhere".to_owned());
            store
                .refuse(&Attempt { what, digits, person, reasons: vec![Reason::new("expired", "it is over", "plan again")] })
                .await
                .unwrap();
            store.close().await;
        };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(writes);
    }
}

/// The machine's clock, set ahead.
#[derive(Debug)]
struct Ahead(TimeDelta);

impl Clock for Ahead {
    fn now(&self) -> Moment {
        let now = SystemClock.now();
        Moment { wall: now.wall + self.0, ..now }
    }

    fn awake(&self) -> Boot {
        SystemClock.awake()
    }

    fn boot_id(&self) -> String {
        SystemClock.boot_id()
    }
}

/// One commit upon the version that runs is the version on trial.
pub fn one(author: Who, committer: Who, message: &'static str) -> impl FnOnce(&mut History) {
    move |history| {
        let commit = history.commit(&["first"], author, committer, message);
        history.name(NEW, &commit);
    }
}
