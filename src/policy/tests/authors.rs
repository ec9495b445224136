//! Authors: persons and not accounts; whoever made it does not approve it, and nobody does while it is not known who made it.

use super::*;
use crate::model::authorship::{Authorship, Span};
use crate::model::catalog::BackendKind;
use crate::model::gate::{AuthorRule, Unmapped};
use crate::model::origin::{Authors, Identity, Range};
use crate::model::run_gate::AskedBy;
use crate::policy::approval::{counting, void};
use crate::policy::authors::{known, of_account};

fn identity(login: &str, email: &str) -> Identity {
    let text = |text: &str| (!text.is_empty()).then(|| Text::clean(text));
    Identity { login: text(login), email: text(email) }
}

fn read(authors: Authors, to: &str) -> Authorship {
    let span = Span { backend: "hub".parse().unwrap(), repository: "acme/shop".to_owned(), from: "v1".to_owned(), to: "v2".to_owned() };
    let range = Range { from: Text::clean("1111111aaa"), to: Text::clean(to), commits: 2, authors };
    Authorship::Read { kind: BackendKind::Github, span, range }
}

fn made_by(all: &[(&str, &str)]) -> Authorship {
    read(Authors::Known(all.iter().map(|(login, email)| identity(login, email)).collect()), "2222222bbb")
}

/// Captains who are known by an account, an address and a bot.
fn known_people() -> Vec<Person> {
    let mut people = people();
    for person in &mut people {
        person.emails = vec![format!("{}@Shop.example", person.name)];
        person.logins = vec![("github".to_owned(), format!("{}-GH", person.name))];
        person.bots = vec![format!("{}-bot", person.name)];
    }
    people
}

fn required() -> Gates {
    Gates { checks: vec![(CheckKind::Authors, Counts::Require)], ..Gates::default() }
}

fn with(authors: Option<Authorship>) -> Plan {
    Plan { authors, ..plan(Verb::Shift, Direction::Forward) }
}

#[test]
fn whoever_made_some_of_what_a_run_brings_does_not_open_its_gate() {
    let (rule, people) = (protection(0), known_people());
    let asked = AskedBy { kind: "github".to_owned(), accounts: vec![Text::clean("cy-gh")] };
    let told = |authors: Option<Authorship>, gates: &Gates, asked_by: Option<AskedBy>| {
        let plan = Plan { asked_by, ..with(authors) };
        judge(&Case { guard: Some(guard(&rule, gates)), ..case(&plan, &[], &people) })
            .reasons()
            .iter()
            .map(|one| one.rule.clone())
            .collect::<Vec<_>>()
    };
    let none: Vec<String> = Vec::new();
    for own in [("ana-gh", ""), ("", "ANA@shop.example"), ("ana-bot[bot]", "")] {
        let made = Some(made_by(&[("bo-gh", ""), own]));
        assert_eq!(told(made.clone(), &Gates::default(), Some(asked.clone())), ["author"], "{own:?}");
        // Who carries out a deed of their own is no approver: others agree, where the environment asks for it.
        assert_eq!(told(made, &Gates::default(), None), none);
    }
    assert_eq!(told(Some(made_by(&[("bo-gh", "")])), &Gates::default(), Some(asked.clone())), none);
    let unread = Some(Authorship::not_read(None, "it was not read", "wait"));
    assert_eq!(told(unread.clone(), &Gates::default(), Some(asked.clone())), none);
    assert_eq!(told(unread, &required(), Some(asked)), ["authors-unknown"]);
}

#[test]
fn one_person_behind_several_identities_is_one() {
    for (login, email) in [
        ("bo-gh", ""),
        ("Bo-Gh", "somebody@else.example"),
        ("", "bo@shop.example"),
        ("another-account", "BO@SHOP.EXAMPLE"),
        ("bo-bot", ""),
        ("bo-bot[bot]", "1+bo-bot[bot]@users.noreply.github.com"),
    ] {
        let found = known(Some(&made_by(&[(login, email)])), &known_people(), &AuthorRule::default());
        assert_eq!(found.people.keys().collect::<Vec<_>>(), ["bo"], "{login} {email}");
        assert_eq!(found.unknown, None, "{login} {email}");
    }
    // An account and an address of two persons: both made it.
    let found = known(Some(&made_by(&[("bo-gh", "cy@shop.example")])), &known_people(), &AuthorRule::default());
    assert_eq!(found.people.keys().collect::<Vec<_>>(), ["bo", "cy"]);
    let people = known_people();
    let of = |kind, login| of_account(&people, kind, login).map(|person| person.name.as_str());
    assert_eq!(
        (of(BackendKind::Github, "BO-gh"), of(BackendKind::Buildbot, "bo-gh"), of(BackendKind::Buildbot, "bo-bot")),
        (Some("bo"), None, Some("bo"))
    );
}

#[test]
fn an_identity_that_is_nobodys_hides_somebody_unless_the_environment_says_that_it_does_not() {
    let made = made_by(&[("bo-gh", ""), ("renovate[bot]", "")]);
    let look = |rule: &AuthorRule| known(Some(&made), &known_people(), rule);
    let usual = look(&AuthorRule::default());
    assert_eq!(usual.unmapped, ["renovate[bot]"]);
    assert!(usual.unknown.is_some_and(|(why, fix)| why.as_str().contains("renovate[bot]") && fix.as_str().contains("outsiders")));
    let named = look(&AuthorRule { outsiders: vec!["renovate[bot]".to_owned()], ..AuthorRule::default() });
    assert_eq!((named.unknown, named.outsiders.len(), named.people.len()), (None, 1, 1));
    let warned = look(&AuthorRule { unmapped: Unmapped::Warn, outsiders: Vec::new() });
    assert_eq!((warned.unknown, warned.unmapped.len(), warned.people.len()), (None, 1, 1));
}

#[test]
fn an_author_may_not_approve_and_may_say_no() {
    let (rule, gates, people) = (protection(1), required(), known_people());
    let plan = with(Some(made_by(&[("bo-gh", ""), ("cy-bot[bot]", "")])));
    let ask = |decision, who: &Actor| {
        let guard = Some(guard(&rule, &gates));
        let (read_only, is_own_key, rules, at) = (false, None, "00", noon());
        reasons_against(&Ask { plan: &plan, decision, actor: who, people: &people, grants: &[], guard, is_own_key, rules, read_only, at })
    };
    for (who, by) in [("bo", "bo-gh"), ("cy", "cy-bot[bot]")] {
        let reasons = ask(Decision::Approve, &actor(who));
        assert_eq!((reasons.len(), reasons[0].rule.as_str()), (1, "author"));
        assert!(reasons[0].text.as_str().contains(by), "{}", reasons[0].text);
        assert!(ask(Decision::Reject, &actor(who)).is_empty());
    }
    // Neither counts what was said before it was known.
    let approvals = [approval("bo", 5), approval("cy", 5)];
    let verdict = judge(&Case { guard: Some(guard(&rule, &gates)), ..case(&plan, &approvals, &people) });
    let Verdict::SecondPerson { given: 0, may, reasons, .. } = verdict else { panic!("{verdict:?}") };
    assert!(may.is_empty(), "{may:?}");
    assert_eq!(reasons.iter().map(|reason| reason.rule.as_str()).collect::<Vec<_>>(), ["approvals", "author", "author"]);
}

#[test]
fn an_approval_is_of_the_range_that_was_seen() {
    let (rule, gates, people) = (protection(1), required(), known_people());
    let seen = made_by(&[("ana-gh", "")]);
    let given = Approval { authors: seen.digest(), ..approval("bo", 5) };
    let judged = |authors: Authorship, gates: &Gates, given: &Approval| {
        let plan = with(Some(authors));
        let approvals = [given.clone()];
        judge(&Case { guard: Some(guard(&rule, gates)), ..case(&plan, &approvals, &people) })
    };
    assert!(matches!(judged(seen.clone(), &gates, &given), Verdict::Permit(_)));
    let all = |all: &[(&str, &str)]| Authors::Known(all.iter().map(|(login, email)| identity(login, email)).collect());
    for other in
        [read(all(&[("ana-gh", "")]), "3333333ccc"), read(all(&[("ana-gh", ""), ("cy-gh", "")]), "2222222bbb"), Authorship::Nothing]
    {
        for gates in [&gates, &Gates::default()] {
            let verdict = judged(other.clone(), gates, &given);
            assert_eq!(verdict.reasons().last().map(|reason| reason.rule.as_str()), Some("range-changed"), "{verdict:?}");
        }
    }
    let unread = Authorship::not_read(None, "it was not read", "wait");
    // What cannot be read now says nothing where it is not asked for.
    assert!(matches!(judged(unread, &Gates::default(), &given), Verdict::Permit(_)));
}

#[test]
fn while_authors_are_not_known_no_approval_counts_where_they_must_be() {
    let (rule, people) = (protection(1), known_people());
    let unknown = read(Authors::Unknown(Text::clean("251 commits")), "2222222bbb");
    let hidden = made_by(&[("somebody", "")]);
    for authors in [None, Some(unknown), Some(hidden), Some(Authorship::not_read(None, "no", "wait"))] {
        let plan = with(authors);
        let approvals = [approval("bo", 5)];
        let of = |gates: &Gates| {
            let guard = guard(&rule, gates);
            (counting(&plan, guard, &people, &approvals, &noon()).len(), void(&plan, guard, &people, &approvals, &noon()).len())
        };
        assert_eq!((of(&required()), of(&Gates::default())), ((0, 1), (1, 0)), "{:?}", plan.authors);
    }
}

#[test]
fn the_way_back_asks_for_no_authors() {
    let (rule, people) = (Protection { way_back_approvals: 1, ..protection(1) }, known_people());
    let back = Plan { authors: Some(made_by(&[("bo-gh", "")])), ..plan(Verb::Abort, Direction::Back) };
    let approvals = [approval("bo", 5)];
    let verdict = judge(&Case { guard: Some(guard(&rule, &required())), ..case(&back, &approvals, &people) });
    assert!(matches!(verdict, Verdict::Permit(_)), "{verdict:?}");
}
