//! Roles that people take for a while, from the command line: three persons behind one account, each with an agent of their own.

use serde_json::Value;

use super::keys::run;
use super::place::{Pair, Place, Room, Said, os_user, texts};
use super::shape;
use crate::servers::agent::Agent;

const WHY: &str = "stands in for cy tonight";

/// Ana and Cy are captains, Bo is of the team that may take the role.
struct Three {
    pair: std::sync::Arc<Pair>,
    pool: String,
    place: Place,
    agents: [Agent; 3],
}

impl Three {
    fn with(environment: &str) -> Self {
        let (pair, pool) = (Pair::shared(), Pair::pool());
        let agents = [Agent::start(), Agent::start(), Agent::start()];
        let person = |agent: &Agent, name: &str, more: &str| {
            let (key, user) = (agent.add(name, &["-t", "ed25519"]), os_user());
            format!("[[person]]\nname = \"{name}\"\nos_user = \"{user}\"\nkeys = [\"{key}\"]\n{more}\n")
        };
        let [ana, bo, cy] = &agents;
        let captain = "roles = [{ role = \"captain\" }]";
        let people = [person(ana, "ana", captain), person(bo, "bo", "teams = [\"payments\"]"), person(cy, "cy", captain)].concat();
        let environment = format!("hold_time = \"1s\"\n{environment}");
        let place = Room { environment, people, ..pair.room(&pool) }.place();
        Self { pair, pool, place, agents }
    }

    #[track_caller]
    fn says(&self, who: usize, code: i32, args: &[&str]) -> Said {
        run(&self.place, &self.agents[who].socket(), args).exits(code)
    }

    #[track_caller]
    fn json(&self, who: usize, code: i32, args: &[&str]) -> Value {
        self.says(who, code, &[args, &["--json"]].concat()).json()
    }

    /// The rules of the refusal of a verb.
    #[track_caller]
    fn refused(&self, who: usize, args: &[&str]) -> Vec<String> {
        texts(&self.json(who, 3, args)["reasons"], "rule")
    }

    #[track_caller]
    fn takes(&self, who: usize, place: &str) -> String {
        let told = self.json(who, 0, &["grant", "captain", place, "--for", "1h", "--reason", WHY]);
        told["grant"]["grant"].as_str().unwrap()[..12].to_owned()
    }
}

const ANA: usize = 0;
const BO: usize = 1;
const CY: usize = 2;
const PROTECTED: &str = "protection = { approvals = 1, approver_roles = [\"captain\"], actor_roles = [\"captain\"] }\n\
                         self_service = [{ role = \"captain\", teams = [\"payments\"], at_most = \"4h\" }]";

#[test]
fn a_denial_says_the_command_that_takes_the_role_and_the_role_ends_when_it_is_given_back() {
    let three = Three::with(&PROTECTED.replace("approvals = 1, ", ""));
    let denied = three.json(BO, 3, &["shift", "checkout@prod", "20"]);
    let fix = denied["reasons"][0]["fix"].as_str().unwrap();
    assert!(denied["reasons"][0]["text"].as_str().unwrap().contains("actor_roles"), "{denied}");
    assert!(fix.contains("which ana, cy has now") || fix.contains("ana, cy"), "{denied}");
    // Exactly as it stands there, with a reason.
    let command = fix.split("gonogo ").nth(1).unwrap().split(" --reason").next().unwrap();
    let words: Vec<&str> = command.split(' ').chain(["--reason", WHY, "--json"]).collect();
    let told = three.says(BO, 0, &words).json();
    shape::keys(&told, "schema decision person grant reasons");
    shape::keys(&told["grant"], "grant person role place reason at until state needs agreed revoked");
    assert_eq!((&told["grant"]["state"], &told["grant"]["place"]), (&"granted".into(), &"checkout@prod".into()), "{told}");
    let id = told["grant"]["grant"].as_str().unwrap()[..8].to_owned();
    three.says(BO, 0, &["shift", "checkout@prod", "20"]);
    assert_eq!(three.pair.weight(&three.pool), 20);

    let who = three.json(BO, 0, &["whoami"]);
    assert_eq!((&who["grants"][0]["role"], &who["grants"][0]["place"]), (&"captain".into(), &"checkout@prod".into()), "{who}");
    assert!(three.says(BO, 0, &["whoami"]).out.contains("captain of checkout@prod until "));
    let list = three.json(ANA, 0, &["grants"]);
    shape::keys(&list, "schema reader grants offered");
    assert_eq!((texts(&list["grants"], "person"), texts(&list["offered"], "at_most")), (vec!["bo".to_owned()], vec!["4h".to_owned()]));
    assert!(three.says(ANA, 0, &["grants"]).out.contains(&format!("GRANTED {id}  bo captain checkout@prod until ")));

    three.says(BO, 0, &["revoke", &id, "--reason", "cy is back"]);
    assert_eq!(three.refused(BO, &["shift", "checkout@prod", "50"]), ["grant-revoked"]);
    assert_eq!(three.refused(BO, &["revoke", &id]), ["grant-revoked"]);
    three.says(BO, 5, &["revoke", "ffffffff"]);
    three.says(BO, 10, &["grant", "captain", "web@prod", "--reason", WHY]);
    three.says(BO, 2, &["grant", "captain", "@prod", "--for", "25h", "--reason", WHY]);
    assert_eq!(three.refused(BO, &["grant", "captain", "@prod", "--for", "5h", "--reason", WHY]), ["pause"]);
    assert_eq!(three.refused(BO, &["grant", "captain", "@prod", "--reason", "so"]), ["grant-reason"]);
    assert_eq!(three.refused(BO, &["grant", "policy-owner", "@prod", "--reason", WHY]), ["self-service"]);
    assert_eq!(three.pair.weight(&three.pool), 20);
    let kinds = three.place.kinds();
    // The first entry about rules, the taking, the giving back.
    let list = three.json(ANA, 0, &["ledger", "list"]);
    assert_eq!(texts(&list["entries"], "kind").iter().filter(|kind| *kind == "policy").count(), 3, "{list}");
    assert_eq!(kinds.iter().filter(|kind| *kind == "denied").count(), 6, "{kinds:?}");
    three.place.run(&["ledger", "verify"]).exits(0);
}

/// Self-approval by a grant given to oneself, and by two persons who help each other.
#[test]
fn a_role_given_to_oneself_agrees_to_no_plan_and_two_cannot_help_each_other() {
    let three = Three::with(PROTECTED);
    let plan = three.json(ANA, 4, &["shift", "checkout@prod", "20"])["plan"].as_str().unwrap()[..12].to_owned();
    let approve = ["approve", "checkout@prod", "--plan", &plan];
    assert_eq!(three.refused(BO, &approve), ["role"]);
    let grant = three.takes(BO, "@prod");
    assert_eq!(three.refused(BO, &approve), ["grant-own"]);
    assert_eq!(three.refused(BO, &["approve", "@prod", "--grant", &grant]), ["own-grant"]);
    // Ana asks for the plan, and would choose who agrees to it.
    three.says(ANA, 2, &["approve", "checkout@prod", "--grant", &grant]);
    three.says(ANA, 0, &["approve", "@prod", "--grant", &grant]);
    assert_eq!(three.refused(BO, &approve), ["grant-crosswise"]);
    three.says(ANA, 4, &["execute", &plan]);
    assert_eq!(three.pair.weight(&three.pool), 0);
    // Cy has the role too and asks for nothing: now there is somebody else.
    three.says(CY, 0, &["approve", "@prod", "--grant", &grant]);
    three.says(BO, 0, &approve);
    // What Bo said counts only as long as the role does.
    three.says(CY, 0, &["reject", "@prod", "--grant", &grant, "--reason", "not needed"]);
    three.says(ANA, 4, &["execute", &plan]);
    // A plan of one's own is never agreed to by a role that was taken.
    let grant = three.takes(BO, "@prod");
    three.says(CY, 0, &["approve", "@prod", "--grant", &grant]);
    let own = three.json(BO, 4, &["shift", "checkout@prod", "5"])["plan"].as_str().unwrap()[..12].to_owned();
    assert_eq!(three.refused(BO, &["approve", "checkout@prod", "--plan", &own]), ["own-plan"]);
    three.says(CY, 0, &["approve", "checkout@prod", "--plan", &own]);
    three.says(BO, 0, &["execute", &own, "--wait", "accepted"]);
    three.place.run(&["ledger", "verify"]).exits(0);
}

#[test]
fn from_tier_t1_on_the_persons_own_key_signs_the_taking_and_the_agreeing() {
    let three = Three::with(&format!("assurance = \"T1\"\n{PROTECTED}"));
    let grant = three.takes(BO, "@prod");
    three.says(CY, 0, &["approve", "@prod", "--grant", &grant]);
    three.says(BO, 0, &["revoke", &grant]);
    let list = three.place.json(0, &["ledger", "list"]);
    let entries = list["entries"].as_array().unwrap();
    // The first entry about rules is the process's own.
    let policy = entries.iter().filter(|one| one["kind"] == "policy").skip(1);
    let by: Vec<&str> = policy.map(|one| one["signer"].as_str().unwrap()).collect();
    assert_eq!(by, ["bo", "cy", "bo"], "{list}");
    three.place.run(&["ledger", "verify"]).exits(0);
}

/// Changed rules (promise 8): what they alone offer is not taken, and what was taken before does not count by them.
#[test]
fn what_only_changed_rules_offer_counts_for_nothing_until_they_are_accepted() {
    let (pair, pool) = (Pair::shared(), Pair::pool());
    let (ana, bo, cy) = (Agent::start(), Agent::start(), Agent::start());
    let person = |agent: &Agent, name: &str, more: &str| {
        let (key, user) = (agent.add(name, &["-t", "ed25519"]), os_user());
        format!("[[person]]\nname = \"{name}\"\nos_user = \"{user}\"\nkeys = [\"{key}\"]\n{more}\n")
    };
    let owner = "roles = [{ role = \"captain\" }, { role = \"policy-owner\" }]";
    let people = [person(&ana, "ana", owner), person(&bo, "bo", "teams = [\"payments\"]"), person(&cy, "cy", owner)].concat();
    let text = |environment: &str| {
        let environment = format!("hold_time = \"1s\"\n{environment}");
        Room { environment, people: people.clone(), ..pair.room(&pool) }.text()
    };
    let offered = text(&PROTECTED.replace("approvals = 1, ", ""));
    let none = text("protection = { approver_roles = [\"captain\"], actor_roles = [\"captain\"] }");
    let accepts = |place: &Place| {
        run(place, &ana.socket(), &["policy", "accept", "--reason", "it is narrower"]);
        run(place, &cy.socket(), &["policy", "accept", "--reason", "it is narrower"]);
        let told = run(place, &ana.socket(), &["policy", "show", "--json"]).exits(0).json();
        assert_eq!(told["waits"], false, "{told}");
    };
    let take = ["grant", "captain", "checkout@prod", "--for", "1h", "--reason", WHY, "--json"];
    let refused = |place: &Place, args: &[&str]| texts(&run(place, &bo.socket(), args).exits(3).json()["reasons"], "rule");
    let place = Place::with(&offered);
    run(&place, &bo.socket(), &take).exits(0);
    run(&place, &bo.socket(), &["shift", "checkout@prod", "20"]).exits(0);
    place.configure(&none);
    accepts(&place);
    assert_eq!(refused(&place, &["shift", "checkout@prod", "30", "--json"]), ["grant-not-allowed"]);
    // Offered again, and not accepted: by the accepted rules it is not offered.
    place.configure(&offered);
    assert_eq!(refused(&place, &["shift", "checkout@prod", "30", "--json"]), ["grant-not-allowed"]);
    assert_eq!(refused(&place, &take), ["self-service"]);
    assert_eq!(pair.weight(&pool), 20);
    accepts(&place);
    run(&place, &bo.socket(), &["shift", "checkout@prod", "30"]).exits(0);
    place.run(&["ledger", "verify"]).exits(0);
}
