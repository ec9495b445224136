//! The rules of the configuration, each by the file that breaks it, and the layers.
// long because: one load of a whole configuration is behind each of them.

mod layers;
mod required;
mod slo;

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// An empty machine with a user's and a project's directory.
struct Machine {
    directory: tempfile::TempDir,
    around: Surroundings,
}

impl Machine {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let within = |name: &str| {
            let path = directory.path().join(name);
            fs::create_dir(&path).expect("made");
            path
        };
        let around = Surroundings {
            env: std::collections::BTreeMap::new(),
            config_dir: within("config"),
            data_dir: within("data"),
            working_dir: within("project"),
            trust_dir: directory.path().join("data"),
        };
        Self { directory, around }
    }

    fn user(self, text: &str) -> Self {
        fs::write(self.around.config_dir.join("gonogo.toml"), text).expect("written");
        self
    }

    fn project(self, text: &str) -> Self {
        fs::write(self.around.working_dir.join("gonogo.toml"), text).expect("written");
        self
    }

    fn trusted(self) -> Self {
        trust::trust(Path::new("gonogo.toml"), &self.around).expect("trusted");
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.around.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn load(&self) -> Result<Loaded, Problems> {
        load(&self.around, &Flags::default())
    }

    fn problems(&self) -> Vec<String> {
        let root = format!("{}/", self.directory.path().display());
        let problems = self.load().expect_err("refused").0;
        problems.iter().map(|problem| problem.to_string().replace(&root, "")).collect()
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config").join(name)
}

fn check(path: PathBuf) -> Result<Loaded, Problems> {
    load(&Machine::new().around, &Flags { config: Some(path), ..Flags::default() })
}

#[test]
fn the_example_of_the_contract_is_accepted() {
    let loaded = check(fixture("contracts.toml")).expect("accepted");
    assert_eq!(loaded.warnings, [], "{:?}", loaded.warnings);
}

/// Every file in fixtures/config/wrong ends with `#= LINE:COLUMN: what; expected ..`, one line a problem.
#[test]
fn every_wrong_file_is_refused_with_the_place_what_is_wrong_and_what_would_be_right() {
    let mut files: Vec<PathBuf> = fs::read_dir(fixture("wrong")).expect("there").map(|entry| entry.expect("read").path()).collect();
    files.sort();
    assert!(files.len() > 70, "only {} wrong files", files.len());
    let mut differ = Vec::new();
    for file in files {
        let text = String::from_utf8_lossy(&fs::read(&file).expect("read")).into_owned();
        let expected: Vec<String> = text.lines().filter_map(|line| line.strip_prefix("#= ")).map(str::to_owned).collect();
        let prefix = format!("{}:", file.display());
        let got: Vec<String> = match check(file.clone()) {
            Ok(_) => vec!["accepted".to_owned()],
            Err(problems) => problems.0.iter().map(|problem| problem.to_string().replacen(&prefix, "", 1)).collect(),
        };
        if got != expected || got.is_empty() {
            differ.push(format!("{}\n#= {}", file.display(), got.join("\n#= ")));
        }
    }
    assert!(differ.is_empty(), "these say something else:\n{}", differ.join("\n"));
}

#[test]
fn the_contract_says_what_the_model_then_holds() {
    use crate::model::catalog::BackendKind;
    use std::time::Duration;
    let loaded = check(fixture("contracts.toml")).expect("accepted");
    let catalog = &loaded.config.catalog;
    assert!(!loaded.nothing_configured && !catalog.simulated);
    assert_eq!(catalog.room.name, "shop");
    let prom = &catalog.backends[&"prom".parse().expect("a name")];
    assert_eq!(
        (prom.every, prom.stale_after, prom.lookup_within),
        (Duration::from_secs(5), Duration::from_secs(15), Duration::from_mins(1))
    );
    let github = loaded.config.backends.iter().find(|backend| backend.kind == BackendKind::Github).expect("there");
    assert_eq!(github.address, settings::Address::Http("https://api.github.com".to_owned()));
    assert_eq!(github.token, Some(secret::SecretRef::Env("GITHUB_TOKEN".to_owned())));
    let target = "checkout@prod".parse().expect("a target");
    let deploy = catalog.deploy(&target).expect("deployed");
    assert_eq!(deploy.steps.iter().map(|step| step.get()).collect::<Vec<_>>(), [5, 10, 20, 50, 80, 100]);
    assert_eq!(deploy.traffic[0].second[0].as_str(), "v2");
    let checkout = &catalog.services[&"checkout".parse().expect("a name")];
    assert_eq!(checkout.alerts.as_ref().expect("there").labels["service"], "checkout");
    assert_eq!(checkout.signals[0].limit, Some(0.01));
    assert_eq!(catalog.environments[0].protection.approvals, 2);
    assert_eq!(catalog.people[0].roles[0].environments[0].as_str(), "prod");
    assert_eq!(catalog.rules_digest.len(), 64);
    assert_eq!(loaded.config.store.path.as_deref(), Some(Path::new("/var/lib/gonogo")));
}

#[test]
fn a_workflow_is_known_by_its_repository_and_starts_from_main_unless_told_otherwise() {
    let file = |more: &str| {
        format!(
            "[[backend]]\nname = \"github\"\nkind = \"github\"\n[[service]]\nname = \"a\"\nrepository = {{ backend = \"github\", name = \"acme/shop\" }}\npipeline = {{ backend = \"github\", workflow = \"release.yml\"{more} }}\n"
        )
    };
    for (more, from) in [("", "main"), (", ref = \"v2\"", "v2")] {
        let loaded = Machine::new().user(&file(more)).load().expect("accepted");
        let told: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.contains("no token: GitHub answers 60 requests an hour")), "{told:?}");
        let pipeline = loaded.config.catalog.services[&"a".parse().expect("a name")].pipeline.clone().expect("there");
        assert_eq!((pipeline.builder.as_str(), pipeline.scheduler.as_deref()), ("acme/shop/release.yml", Some(from)));
    }
}

#[test]
fn what_is_left_out_has_the_defaults_of_the_contract() {
    use std::time::Duration;
    let machine = Machine::new().user(
        "[[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = \"/run/x\"\n[[environment]]\nname = \"prod\"\n[[service]]\nname = \"a\"\n[service.deploy.prod]\nstrategy = \"canary\"\n",
    );
    let config = machine.load().expect("accepted").config;
    let prod = &config.catalog.environments[0];
    assert_eq!((prod.hold_time, prod.effective_within, prod.min_requests), (Duration::from_mins(5), Duration::from_secs(30), 50));
    assert_eq!((prod.protection.approvals, prod.protection.typed_confirmation), (0, false));
    let edge = config.catalog.backends.values().next().expect("there");
    assert_eq!((edge.every, edge.stale_after), (Duration::from_secs(5), Duration::from_secs(15)));
    let deploy = config.catalog.deploy(&"a@prod".parse().expect("a target")).expect("there");
    assert_eq!(deploy.steps.iter().map(|step| step.get()).collect::<Vec<_>>(), [5, 20, 50, 100]);
    assert_eq!((config.store.journal_days, config.store.journal_bytes), (14, 1_000_000_000));
}

#[test]
fn a_ramp_stands_for_its_shares_and_their_pace() {
    let machine = Machine::new().user(
        "[[environment]]\nname = \"prod\"\n[[service]]\nname = \"a\"\n[service.deploy.prod]\nstrategy = \"canary\"\n\
         steps = [5, { to = 40, by = 10, every = \"90s\" }, 100]\n",
    );
    let config = machine.load().expect("accepted").config;
    let deploy = config.catalog.deploy(&"a@prod".parse().expect("a target")).expect("there");
    assert_eq!(deploy.steps.iter().map(|step| step.get()).collect::<Vec<_>>(), [5, 15, 25, 35, 40, 100]);
    let paces: Vec<_> = deploy.rollout.paces.iter().map(|(share, every)| (share.get(), every.as_secs())).collect();
    assert_eq!(paces, [(15, 90), (25, 90), (35, 90)]);
}

#[test]
fn people_may_share_a_system_user_and_one_without_a_key_is_warned_of() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGjvH0DkPwSfNWnR3bTqkdzPfo9CxQ4oFPVDTmFXIYaF";
    let ana = format!("[[person]]\nname = \"ana\"\nos_user = \"deploy\"\nkeys = [\"{key} ana@laptop\"]\n");
    let machine = Machine::new()
        .user(&format!("{ana}[[person]]\nname = \"cy\"\nos_user = \"deploy\"\n[[person]]\nname = \"dan\"\nos_user = \"dan\"\n"));
    let warnings = machine.load().expect("accepted").warnings;
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(
        warning.to_string().ends_with(
            ":7:11: `deploy` is the system user of 2 people, and this one has no key to be known by; expected `keys` for each who shares it"
        ),
        "{warning}"
    );
    assert!(Machine::new().user(&ana).load().expect("accepted").warnings.is_empty());
}

#[test]
fn stale_after_is_never_under_five_seconds_by_default() {
    let machine = Machine::new().user("[[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = \"/run/x\"\nevery = \"1s\"\n");
    let config = machine.load().expect("accepted").config;
    assert_eq!(config.catalog.backends.values().next().expect("there").stale_after, std::time::Duration::from_secs(5));
}

#[test]
fn without_any_file_nothing_is_configured_and_flags_still_count() {
    let machine = Machine::new().env("GONOGO_THEME", "ascii");
    let loaded = load(&machine.around, &Flags { read_only: true, ..Flags::default() }).expect("accepted");
    assert!(loaded.nothing_configured && loaded.config.catalog.room.read_only);
    assert_eq!(loaded.config.catalog.room.theme, "ascii");
    assert_eq!(loaded.config.catalog.room.timezone, "UTC");
}

#[test]
fn the_timetable_is_what_the_files_say() {
    use crate::model::timetable::{CalendarTimes, Excepted, Running, Stamp, Times, Unreadable, WayBack};
    use chrono::Weekday::{Mon, Tue};
    use std::time::Duration;
    let machine = Machine::new().user(
        r#"
        [room]
        timezone = "Europe/Berlin"
        [[person]]
        name = "ana"
        [[environment]]
        name = "prod"
        [[service]]
        name = "checkout"
        team = "payments"
        [[window]]
        name = "night"
        teams = ["payments"]
        types = ["standard", "normal"]
        days = ["mon", "tue"]
        from = "22:00"
        to = "04:00"
        timezone = "America/New_York"
        [[window]]
        name = "office"
        calendar = "office.ics"
        summary = "Release"
        [[freeze]]
        name = "sale"
        reason = "the sale"
        calendar = "office.ics"
        category = "FREEZE"
        every = "1m"
        stale_after = "2h"
        unreadable = "warn"
        way_back = "frozen"
        running = "hold"
        [[freeze]]
        name = "eve"
        reason = "nobody is here"
        begin = "2026-12-24T14:00"
        end = "2026-12-27T00:00:00+01:00"
        [[exception]]
        freeze = "eve"
        target = "checkout@prod"
        date = "2026-12-24"
        by = "ana"
        reason = "the bug"
        [[train]]
        name = "express"
        environment = "prod"
        services = ["checkout"]
        window = "night"
        departs = "23:00"
        cut_off = "30m"
        "#,
    );
    let config = machine.load().expect("accepted").config;
    let table = &config.catalog.timetable;
    let clock = |text| crate::model::timetable::ClockTime::read(text).expect("a time");
    assert_eq!(table.windows[0].times, Times::Weekly { days: vec![Mon, Tue], from: clock("22:00"), to: clock("04:00") });
    assert_eq!((table.windows[0].timezone.as_str(), table.windows[1].timezone.as_str()), ("America/New_York", "Europe/Berlin"));
    let calendar = |summary: Option<&str>, category: Option<&str>, hours, unreadable| {
        Times::Calendar(CalendarTimes {
            feed: "office.ics".parse().expect("a name"),
            summary: summary.map(str::to_owned),
            category: category.map(str::to_owned),
            stale_after: Duration::from_hours(hours),
            unreadable,
        })
    };
    assert_eq!(table.windows[1].times, calendar(Some("Release"), None, 24, Unreadable::Stop));
    assert_eq!(table.freezes[0].times, calendar(None, Some("FREEZE"), 2, Unreadable::Warn));
    assert_eq!((table.freezes[0].way_back, table.freezes[0].running), (WayBack::Frozen, Running::Hold));
    assert_eq!((table.freezes[1].way_back, table.freezes[1].running), (WayBack::Exempt, Running::Finish));
    let (begin, end) = ("2026-12-24T14:00:00".parse().expect("a time"), "2026-12-26T23:00:00Z".parse().expect("a time"));
    assert_eq!(table.freezes[1].times, Times::Once { begin: Stamp::Floating(begin), end: Stamp::Utc(end) });
    let day = Excepted::Day { target: "checkout@prod".parse().expect("a target"), date: "2026-12-24".parse().expect("a day") };
    assert_eq!(table.exceptions[0].lets, day);
    assert_eq!((table.trains[0].departs, table.trains[0].cut_off), (Some(clock("23:00")), Duration::from_mins(30)));
    assert_eq!(
        table.feeds.iter().map(|feed| feed.every.as_secs()).collect::<Vec<_>>(),
        [60],
        "one file is one calendar, read as often as any asks"
    );
    let file = config.files[0].parent().expect("a directory").join("office.ics");
    assert_eq!(config.calendars[0].address, settings::CalendarAddress::File(file));
}

#[test]
fn what_no_window_of_an_environment_admits_is_warned_of() {
    let machine = Machine::new().user(
        r#"
[[environment]]
name = "prod"
[[service]]
name = "checkout"
[service.deploy.prod]
strategy = "canary"
[[service]]
name = "mail"
[service.deploy.prod]
strategy = "canary"
[[window]]
name = "office"
services = ["mail"]
types = ["standard", "normal"]
from = "10:00"
to = "16:00"
"#,
    );
    let warnings = machine.load().expect("accepted").warnings;
    let told: Vec<String> = warnings.iter().map(|warning| format!("{}: {}", warning.place.line, warning.what)).collect();
    assert_eq!(
        told,
        ["12: prod has windows, and none of them admits checkout@prod", "12: prod has windows, and none of them admits emergency changes"]
    );
}

#[test]
fn a_project_file_that_is_not_trusted_names_no_calendar() {
    let machine = Machine::new().project("[[freeze]]\nname = \"a\"\nreason = \"b\"\ncalendar = \"https://elsewhere.example/a.ics\"\n");
    let problems = machine.problems();
    assert!(problems[0].starts_with("project/gonogo.toml:4:1: a project file that is not trusted names a calendar"), "{problems:?}");
}

#[test]
fn the_digest_of_the_rules_covers_windows_and_freezes_and_not_the_plans_that_are_excepted() {
    let digest = |rest: &str| {
        let base = "[[person]]\nname = \"ana\"\n[[environment]]\nname = \"prod\"\n[[service]]\nname = \"a\"\n[[freeze]]\nname = \"f\"\nreason = \"r\"\nfrom = \"10:00\"\nto = \"11:00\"\n";
        Machine::new().user(&format!("{base}{rest}")).load().expect("accepted").config.catalog.rules_digest.clone()
    };
    let bare = digest("");
    assert_ne!(bare, digest("running = \"hold\"\n"));
    assert_ne!(bare, digest("[[exception]]\nfreeze = \"f\"\ntarget = \"a@prod\"\ndate = \"2026-01-01\"\nby = \"ana\"\nreason = \"r\"\n"));
    let plan = format!("[[exception]]\nfreeze = \"f\"\nplan = \"{}\"\nby = \"ana\"\nreason = \"r\"\n", "0".repeat(64));
    assert_eq!(bare, digest(&plan), "it would void the very plan that it names");
}

#[test]
fn each_layer_goes_over_the_one_before() {
    let machine = Machine::new()
        .user("[room]\nname = \"user\"\ntheme = \"monochrome\"\nbell = true\n[[environment]]\nname = \"prod\"\nmin_requests = 7\nhold_time = \"1m\"\n")
        .project("[room]\nname = \"project\"\nkeymap = \"vim\"\n[[environment]]\nname = \"prod\"\nmin_requests = 9\n[[service]]\nname = \"a\"\n")
        .env("GONOGO_KEYMAP", "default")
        .env("GONOGO_STORE", "/tmp/elsewhere")
        .env("GONOGO_READ_ONLY", "1");
    let flags = Flags { theme: Some("ascii".to_owned()), ..Flags::default() };
    let config = load(&machine.around, &flags).expect("accepted").config;
    let room = &config.catalog.room;
    assert_eq!((room.name.as_str(), room.theme.as_str(), room.keymap.as_str()), ("project", "ascii", "default"));
    assert!(room.bell && room.read_only);
    let prod = &config.catalog.environments[0];
    assert_eq!((prod.min_requests, prod.hold_time.as_secs()), (9, 60));
    assert_eq!(config.store.path.as_deref(), Some(Path::new("/tmp/elsewhere")));
    assert_eq!(config.files.len(), 2);
}

#[test]
fn a_given_file_replaces_both_and_counts_as_trusted() {
    let machine = Machine::new().user("[room]\nname = \"user\"\n").project("[room]\nname = \"project\"\n");
    let flags = Flags { config: Some(fixture("contracts.toml")), ..Flags::default() };
    let config = load(&machine.around, &flags).expect("accepted").config;
    assert_eq!((config.catalog.room.name.as_str(), config.files.len()), ("shop", 1));
    let machine = machine.env("GONOGO_CONFIG", fixture("contracts.toml").to_str().expect("a path"));
    assert_eq!(machine.load().expect("accepted").config.catalog.room.name, "shop");
}

#[test]
fn a_given_file_that_is_not_there_is_refused_by_its_name() {
    let flags = Flags { config: Some("absent.toml".into()), ..Flags::default() };
    let problems = load(&Machine::new().around, &flags).expect_err("refused");
    assert_eq!(problems.to_string(), "absent.toml:1:1: there is no such file; expected a configuration file");
}

#[test]
fn a_wrong_variable_or_flag_is_named_in_place_of_a_file() {
    let machine = Machine::new().env("GONOGO_READ_ONLY", "perhaps").env("GONOGO_THEME", "monocrome");
    assert_eq!(
        machine.problems(),
        [
            "GONOGO_THEME:1:1: no theme is called `monocrome`; expected `monochrome`",
            "GONOGO_READ_ONLY:1:1: `perhaps` is neither yes nor no; expected 1 or 0"
        ]
    );
}

#[test]
fn a_project_file_that_is_not_trusted_has_no_checks_of_rollouts() {
    let text = "[[service]]\nname = \"a\"\n[service.deploy.prod.rollout]\nchecks = [{ name = \"x\", when = \"before\", command = [\"/bin/true\"] }]\n";
    let problems = Machine::new().project(text).problems();
    assert!(
        problems.iter().any(|one| one.starts_with("project/gonogo.toml:4:10: a project file that is not trusted defines checks")),
        "{problems:?}"
    );
}

#[test]
fn a_project_file_that_is_not_trusted_does_not_say_where_anything_is_written() {
    let machine = Machine::new().project(
        "[metrics]\nfile = \"x.prom\"\n[log]\nfile = \".bashrc\"\n[store]\npath = \"/x\"\n[ledger]\nwitness = [\"/y\"]\nbreak_glass = \"/z\"\n",
    );
    let problems = machine.problems();
    let wished = ["metrics are written", "the log is written", "the record lies", "checkpoints are written", "the glass is broken"];
    assert_eq!(problems.len(), wished.len(), "{problems:?}");
    for (problem, what) in problems.iter().zip(wished) {
        assert!(problem.contains("a project file that is not trusted says") && problem.contains(what), "{problem}");
    }
}

#[test]
fn problems_of_both_files_are_told_at_once() {
    let machine = Machine::new().user("[room]\nnam = \"x\"\n").project("[room]\nbell = 1\n");
    assert_eq!(
        machine.problems(),
        [
            "config/gonogo.toml:2:1: unknown key `nam` in [room]; expected `name`",
            "project/gonogo.toml:2:8: `bell` is an integer; expected true or false"
        ]
    );
}

const PROJECT: &str =
    "[[service]]\nname = \"a\"\n\n[[backend]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"https://prom\"\ntoken = { env = \"T\" }\n";

#[test]
fn a_project_file_may_not_define_a_backend_until_it_is_trusted_and_no_longer_once_it_changes() {
    let machine = Machine::new().project(PROJECT);
    let file = machine.around.working_dir.join("gonogo.toml");
    let command = "`gonogo config trust project/gonogo.toml` by a person who has read it";
    let refused = [
        format!("project/gonogo.toml:4:1: a project file that is not trusted defines a backend; expected {command}"),
        format!("project/gonogo.toml:8:1: a project file that is not trusted defines a secret; expected {command}"),
    ];
    assert_eq!(machine.problems(), refused);
    let trusted = trust::trust(&file, &machine.around).expect("trusted");
    assert_eq!(trusted.digest.len(), 64);
    assert_eq!(machine.load().expect("accepted").config.backends.len(), 1);
    fs::write(&file, PROJECT.replace("https://prom", "https://evil")).expect("written");
    assert_eq!(machine.problems(), refused);
    trust::trust(&file, &machine.around).expect("trusted again");
    fs::write(&file, PROJECT).expect("written");
    assert_eq!(machine.problems(), refused, "the older digest of the same file is forgotten");
}

#[test]
fn the_trust_of_one_file_is_not_that_of_a_copy() {
    let machine = Machine::new().project(PROJECT);
    let copy = machine.around.config_dir.join("copy.toml");
    fs::write(&copy, PROJECT).expect("written");
    trust::trust(&copy, &machine.around).expect("trusted");
    assert_eq!(machine.problems().len(), 2);
}

#[test]
fn the_list_of_trusted_files_is_its_owners_alone_and_believed_only_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::new().project(PROJECT);
    trust::trust(Path::new("gonogo.toml"), &machine.around).expect("trusted");
    let list = machine.around.trust_dir.join("trusted");
    assert_eq!(fs::metadata(&list).expect("there").permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&list, fs::Permissions::from_mode(0o666)).expect("set");
    assert_eq!(machine.problems().len(), 2);
}

#[test]
fn a_project_file_without_backends_needs_no_trust() {
    assert!(Machine::new().project("[[service]]\nname = \"a\"\n").load().is_ok());
}

#[test]
fn a_project_file_cannot_send_the_users_token_elsewhere() {
    let machine = Machine::new()
        .user("[[backend]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"https://prom\"\ntoken = { env = \"T\" }\n")
        .project("[[backend]]\nname = \"prom\"\nurl = \"https://evil\"\n");
    assert_eq!(machine.problems().len(), 1);
}

#[test]
fn relative_paths_start_from_the_file_that_names_them() {
    let machine = Machine::new().user("[store]\npath = \"store\"\n");
    let path = machine.load().expect("accepted").config.store.path.expect("set");
    assert_eq!(path, machine.around.config_dir.join("store"));
}

#[test]
fn the_example_is_accepted() {
    let machine = Machine::new().user(example::example());
    let loaded = machine.load().map_err(|problems| problems.to_string()).expect("accepted");
    assert_eq!(loaded.warnings, []);
    assert!(!loaded.config.catalog.services.is_empty());
}

#[test]
fn approvals_that_nobody_could_give_are_a_warning() {
    let machine = Machine::new().user(
        "[[person]]\nname = \"ana\"\nroles = [{ role = \"captain\" }]\n[[environment]]\nname = \"prod\"\nprotection = { approvals = 2, approver_roles = [\"captain\"] }\n",
    );
    let warnings = machine.load().expect("accepted").warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].to_string().contains("6:14: prod needs 2 approvals, and 1 of the configured people could approve"), "{warnings:?}");
}

#[test]
fn a_server_behind_two_targets_is_a_warning() {
    let traffic = "traffic = [{ backend = \"edge\", pool = \"p\", stable = [\"v1\"], canary = [\"v2\"] }]\n";
    let service = |name: &str| format!("[[service]]\nname = \"{name}\"\n[service.deploy.prod]\nstrategy = \"canary\"\n{traffic}");
    let text = format!(
        "[[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = \"/run/x\"\n[[environment]]\nname = \"prod\"\n{}{}",
        service("a"),
        service("b")
    );
    let warnings = Machine::new().user(&text).load().expect("accepted").warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].what.as_str().contains("a@prod"));
}

#[test]
fn the_digest_of_the_rules_changes_with_a_role_and_not_with_an_address_or_the_order_of_tables() {
    let digest = |text: &str| Machine::new().user(text).load().expect("accepted").config.catalog.rules_digest.clone();
    let (ana, bo) = ("[[person]]\nname = \"ana\"\nroles = [{ role = \"captain\" }]\n", "[[person]]\nname = \"bo\"\n");
    let prod = "[[environment]]\nname = \"prod\"\nprotection = { approvals = 1 }\n";
    let first = digest(&format!("{ana}{bo}{prod}"));
    assert_eq!(first, digest(&format!("{bo}{ana}{prod}[[backend]]\nname = \"e\"\nkind = \"haproxy\"\nsocket = \"/x\"\n")));
    assert_ne!(first, digest(&format!("{ana}{bo}{prod}").replace("captain", "on-call")));
    assert_ne!(first, digest(&format!("{ana}{bo}{prod}").replace("approvals = 1", "approvals = 2")));
}

#[test]
fn a_policy_owner_alone_is_a_warning_where_he_stands() {
    let owner = |name: &str| format!("[[person]]\nname = \"{name}\"\nroles = [{{ role = \"policy-owner\" }}]\n");
    let told = |text: &str| -> Vec<String> {
        let warnings = Machine::new().user(text).load().expect("accepted").warnings;
        warnings.iter().map(|warning| format!("{}: {}", warning.place.line, warning.what)).collect()
    };
    assert_eq!(told(&owner("ana")), ["1: ana is the only policy-owner, so nobody can accept rules that ana changed"]);
    assert_eq!(told(&format!("{}{}", owner("ana"), owner("cy"))), Vec::<String>::new());
}

#[test]
fn ten_thousand_services_load_in_one_go() {
    let services: Vec<String> =
        (0..10_000).map(|n| format!("[[service]]\nname = \"s{n}\"\ndepends_on = [\"s{}\"]\n", (n + 1) % 10_000)).collect();
    let services = services.concat();
    let problems = Machine::new().user(&services).problems();
    assert_eq!(problems.len(), 1);
    let open = services.replace("[\"s0\"]", "[]");
    assert_eq!(Machine::new().user(&open).load().expect("accepted").config.catalog.services.len(), 10_000);
}

#[test]
fn the_judges_table_says_what_the_contract_says() {
    use crate::model::judging::{Bounds, Direction, JudgeRules, Measure, MetricRules};
    let loaded = check(fixture("judge.toml")).expect("accepted");
    let one = Bounds { low: 1.0, high: 1.0 };
    let latency = MetricRules {
        direction: Direction::Increase,
        critical: Some(one),
        groups: vec!["service".to_owned()],
        ..MetricRules::named("latency")
    };
    assert_eq!((latency.allowed, latency.tolerance.to_bits(), latency.confidence.to_bits()), (one, 0.25_f64.to_bits(), 0.98_f64.to_bits()));
    let rules = JudgeRules { weights: [("service".to_owned(), 60.0)].into(), metrics: vec![latency], ..JudgeRules::default() };
    assert_eq!(loaded.config.judge, rules);
    let told: Vec<String> = loaded.warnings.iter().map(|warning| warning.what.to_string()).collect();
    assert_eq!(told, ["the weights of all groups come to 60, and no score can be more, so no canary can pass"]);
    let common = "[[judge.metric]]\nname = \"a\"\ncritical = true\neffect = { measure = \"common-language\" }\ngroup = []\n";
    let metric = Machine::new().user(common).load().expect("accepted").config.judge.metrics[0].clone();
    assert_eq!((metric.critical, metric.allowed), (Some(Bounds { low: 0.5, high: 0.5 }), Bounds { low: 0.5, high: 0.5 }));
    assert_eq!((metric.measure, metric.groups.len()), (Measure::CommonLanguage, 0));
}

#[test]
fn the_surroundings_of_this_process_can_be_gathered() {
    let around = Surroundings::gather().expect("gathered");
    assert!(around.config_dir.ends_with("gonogo") && around.working_dir.is_absolute());
}
