//! Scenarios parse, resolve, and are refused with a line when they are wrong.

use super::*;
use crate::model::operator::Actor;

fn refused(source: &str) -> ScenarioError {
    Scenario::parse(source).unwrap_err()
}

#[test]
fn every_built_in_scenario_parses_under_its_own_name() {
    for name in Scenario::NAMES {
        let scenario = Scenario::named(name).unwrap();
        assert_eq!(scenario.name, name);
        assert_eq!(scenario.service.len(), 12);
        assert!(scenario.event.is_sorted_by_key(Event::at));
    }
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let error = refused("name = \"x\"\ntitle = \"y\"\n\n[[person]]\nname = \"ana\"\nhat = \"red\"\n");
    assert_eq!(error.line, 6);
    assert_eq!(error.column, 1);
    assert!(error.what.contains("hat"), "{error}");
}

#[test]
fn an_unknown_key_of_an_event_is_refused_with_a_line_of_it() {
    let error = refused("name = \"x\"\ntitle = \"y\"\nbased_on = \"calm\"\n[[event]]\nkind = \"reload\"\nat = \"5s\"\nhat = 1\n");
    assert!((4..=7).contains(&error.line), "{error}");
    assert!(error.what.contains("hat"), "{error}");
}

#[test]
fn what_an_event_names_must_exist() {
    let error = refused(
        "name = \"x\"\ntitle = \"y\"\nbased_on = \"calm\"\n[[event]]\nkind = \"shift\"\nat = \"5s\"\ntarget = \"chekout@prod\"\npercent = 5\n",
    );
    assert_eq!((error.line, error.what.contains("chekout@prod")), (4, true), "{error}");
}

#[test]
fn a_circle_of_dependencies_is_refused() {
    let service = |name: &str, other: &str| {
        format!(
            "[[service]]\nname = \"{name}\"\nteam = \"t\"\ntier = 1\ndepends_on = [\"{other}\"]\nrequests = 1.0\nlatency = \"1ms\"\nversion = \"1\"\n"
        )
    };
    let source = format!("name = \"x\"\ntitle = \"y\"\nbased_on = \"calm\"\n{}{}", service("a", "b"), service("b", "a"));
    let error = refused(&source);
    assert!(error.what.contains("a > b > a"), "{error}");
    assert_eq!(error.line, 4);
}

#[test]
fn every_reference_of_the_catalog_resolves() {
    for name in Scenario::NAMES {
        let catalog = Scenario::named(name).unwrap().catalog("tess").unwrap();
        assert!(catalog.simulated);
        for service in catalog.services.values() {
            assert!(service.depends_on.iter().all(|other| catalog.services.contains_key(other)));
            assert!(catalog.backends.contains_key(&service.alerts.as_ref().unwrap().backend));
            assert!(catalog.backends.contains_key(&service.pipeline.as_ref().unwrap().backend));
            assert!(service.signals.iter().all(|signal| catalog.backends.contains_key(&signal.backend)));
            for (environment, deploy) in &service.deploy {
                assert!(catalog.environment(environment).is_some());
                assert!(deploy.traffic.iter().all(|entry| catalog.backends.contains_key(&entry.backend)));
                assert!(catalog.backends.contains_key(&deploy.deploy.as_ref().unwrap().backend));
                assert!(catalog.backends.contains_key(&deploy.version.as_ref().unwrap().backend));
            }
        }
        let roles = catalog.people.iter().flat_map(|person| &person.roles);
        for grant in roles {
            assert!(grant.environments.iter().all(|name| catalog.environment(name).is_some()));
        }
        assert_eq!(catalog.targets().count(), 35);
    }
}

#[test]
fn the_operator_is_whoever_is_logged_in_and_may_act_on_checkout_alone() {
    let catalog = Scenario::named(Scenario::DEFAULT).unwrap().catalog("tess").unwrap();
    assert_eq!(Actor::recognise("tess", &catalog.people, &[]).actor.to_string(), "ana");
    assert_eq!(catalog.protection(&"checkout@prod".parse().unwrap()).unwrap().approvals, 0);
    assert_eq!(catalog.protection(&"ledger@prod".parse().unwrap()).unwrap().approvals, 1);
}

#[test]
fn the_bad_version_shows_it_in_production_only() {
    let scenario = Scenario::named(Scenario::DEFAULT).unwrap();
    let behaviour = |target: &str, version| scenario.behaviour(&target.parse().unwrap(), version);
    assert_eq!(behaviour("checkout@prod", "2.5.0").map(|bad| bad.from_percent), Some(20));
    assert_eq!(behaviour("checkout@staging", "2.5.0"), None);
    assert_eq!(behaviour("checkout@prod", "2.4.1"), None);
}

#[test]
fn sets_checks_and_starts_name_what_is_there() {
    let story = |more: &str| format!("name = \"x\"\ntitle = \"y\"\nbased_on = \"calm\"\n{more}");
    let set = "[[set]]\nname = \"pair\"\ntargets = [\"checkout@prod\", \"web@prod\"]\n";
    for (more, line, what) in [
        ("[[set]]\nname = \"one\"\ntargets = [\"checkout@prod\"]\n", 4, "less than two targets"),
        ("[[set]]\nname = \"far\"\ntargets = [\"checkout@prod\", \"chekout@prod\"]\n", 4, "chekout@prod"),
        ("[[start]]\nat = \"5s\"\nby = \"zoe\"\ntarget = \"checkout@prod\"\nreason = \"\"\n", 4, "nobody called `zoe`"),
        ("[[start]]\nat = \"5s\"\nby = \"bo\"\nreason = \"\"\n", 4, "expected a target, or a set"),
        ("[[start]]\nat = \"5s\"\nby = \"bo\"\nset = \"pair\"\nreason = \"\"\n", 4, "`pair` is no set"),
        (&format!("{set}{set}"), 7, "is there twice"),
    ] {
        let error = refused(&story(more));
        assert_eq!((error.line, error.what.contains(what)), (line, true), "{error}");
    }
    let known = Scenario::named("two-teams").unwrap();
    let catalog = known.catalog("tess").unwrap();
    assert_eq!(catalog.sets.iter().map(|set| (set.name.as_str(), set.targets.len())).collect::<Vec<_>>(), [("parcel-mails", 2)]);
    let checks = |target: &str| catalog.deploy(&target.parse().unwrap()).unwrap().rollout.checks.len();
    assert_eq!((checks("shipping@prod"), checks("shipping@staging"), checks("checkout@prod")), (1, 0, 0));
}
