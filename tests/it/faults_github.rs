//! What the GitHub adapter makes of limits, pages, refusals, lost answers, rewritten history and other hands.

use std::time::Duration;

use gonogo::model::error::{PortError, PortErrorKind, SendError};
use gonogo::model::origin::{Authors, Opinion, Range};
use gonogo::model::pipeline::RunState;
use gonogo::model::plan::StepEffect;
use gonogo::model::text::Text;
use gonogo::ports::ci::{Ci, Found};
use rstest::rstest;
use serde_json::{Value, json};

use crate::contract::ci::{Lab as _, block, effect, not_done};
use crate::contract::github::{Hub, github_at};
use crate::servers::github::{REPOSITORY, TOKEN, WORKFLOW, Wrong, commit, comparison, sha};

fn read(hub: &Hub) -> Result<gonogo::model::pipeline::RunReading, PortError> {
    block(hub.ci.read(&[WORKFLOW.to_owned()], &[]))
}

/// Reads over one client on one runtime: connections and pauses outlive a question.
fn authors(hub: &Hub) -> Range {
    block(hub.ci.source().unwrap().authors(REPOSITORY, "v1", "v2")).unwrap()
}

fn unknown(hub: &Hub) -> String {
    match authors(hub).authors {
        Authors::Unknown(why) => why.as_str().to_owned(),
        known @ Authors::Known(_) => panic!("{known:?}"),
    }
}

fn known(hub: &Hub) -> Vec<String> {
    let Authors::Known(all) = authors(hub).authors else { panic!("{:?}", authors(hub)) };
    let name = |text: &Option<Text>| text.as_ref().map(|text| text.as_str().to_owned());
    let mut all: Vec<String> = all.iter().filter_map(|one| name(&one.login).or(name(&one.email))).collect();
    all.dedup();
    all
}

/// A range of these commits between `v1` and `v2`, none of which came by a pull request.
fn range(hub: &Hub, status: &str, commits: &[Value]) {
    hub.lab.fix("compare/v1...v2", vec![comparison(status, commits.len(), commits)]);
    for commit in commits {
        hub.lab.fix(&format!("commits/{}/pulls", commit["sha"].as_str().unwrap()), vec![json!([])]);
    }
}

#[test]
fn what_did_not_change_does_not_travel_again() {
    let hub = Hub::new();
    hub.run(false, |run| run.state.is_over());
    let first = read(&hub).unwrap();
    let seen = hub.lab.got().len();
    assert_eq!(read(&hub).unwrap().builders, first.builders);
    let again = hub.lab.got().split_off(seen);
    assert!(!again.is_empty() && again.iter().all(|got| got.if_none_match.is_some()), "{again:?}");
    assert!(hub.lab.got().iter().all(|got| got.version.as_deref() == Some("2022-11-28")));
}

#[test]
fn a_spent_budget_stops_all_requests_until_it_is_renewed() {
    let hub = Hub::new();
    hub.lab.state().left = Some(2);
    hub.lab.state().scopes = Some("repo, workflow".into());
    read(&hub).unwrap();
    assert_eq!(hub.ci.access().unwrap().as_str().split(',').next(), Some("1 of 5000 requests left"));
    assert!(hub.ci.access().unwrap().as_str().ends_with("the token's scopes: repo, workflow"), "{:?}", hub.ci.access());
    read(&hub).unwrap();
    let asked = hub.lab.got().len();
    let error = read(&hub).unwrap_err();
    assert!(matches!(error.kind, PortErrorKind::RateLimited { until: Some(_) }), "{error}");
    let start = effect(hub.start(false, false));
    assert!(matches!(not_done(hub.send(&start)).0, PortErrorKind::RateLimited { .. }));
    assert_eq!(hub.lab.got().len(), asked, "nothing was sent within the pause");
}

#[rstest]
#[case(403, Some("7"), "You have exceeded a secondary rate limit")]
#[case(403, None, "You have exceeded a secondary rate limit. Please wait a few minutes")]
#[case(429, None, "Too many requests")]
fn a_secondary_limit_is_a_pause_and_no_denial(#[case] status: u16, #[case] after: Option<&str>, #[case] message: &str) {
    let hub = Hub::new();
    let wrong = Wrong::says(status, message);
    hub.lab.answer_wrongly("/runs", after.map_or(wrong.clone(), |after| wrong.with("retry-after", after)));
    let error = read(&hub).unwrap_err();
    assert!(matches!(error.kind, PortErrorKind::RateLimited { until: Some(_) }), "{error}");
    let asked = hub.lab.got().len();
    assert!(matches!(read(&hub).unwrap_err().kind, PortErrorKind::RateLimited { .. }));
    assert_eq!(hub.lab.got().len(), asked);
}

#[rstest]
#[case(401, PortErrorKind::Unauthorised, true)]
#[case(403, PortErrorKind::Forbidden, true)]
#[case(404, PortErrorKind::NotFound, true)]
#[case(409, PortErrorKind::Conflict, true)]
#[case(422, PortErrorKind::Refused, true)]
#[case(500, PortErrorKind::Unreachable, false)]
#[case(502, PortErrorKind::Unreachable, false)]
fn a_refused_write_did_not_happen_and_a_broken_one_is_unknown(#[case] status: u16, #[case] kind: PortErrorKind, #[case] surely: bool) {
    let hub = Hub::new();
    hub.lab.answer_wrongly("/dispatches", Wrong::says(status, &format!("no \u{1b}[2J, {TOKEN}")));
    let start = effect(hub.start(false, false));
    let error = hub.send(&start).unwrap_err();
    assert_eq!(matches!(error, SendError::NotDone(_)), surely, "{error}");
    assert_eq!(error.port().kind, kind, "{error}");
    assert!(!error.to_string().contains(TOKEN) && !error.to_string().contains('\u{1b}'), "{error}");
    assert_eq!(hub.lab.writes().len(), 1, "never sent again by itself");
    assert_eq!(hub.find(start.what(), start.key(), None), None);
}

#[test]
fn a_start_whose_answer_is_lost_is_found_and_not_sent_again() {
    let hub = Hub::new();
    hub.lab.answer_wrongly("/dispatches", Wrong { does: true, ..Wrong::says(502, "Server Error") });
    let start = effect(hub.start(false, false));
    assert!(matches!(hub.send(&start), Err(SendError::Unknown(_))));
    let Some(Found::Run(run)) = hub.find(start.what(), start.key(), None) else { panic!("it is there") };
    assert!(run.reason.as_str().contains(&start.key().to_string()));
    assert_eq!(hub.find(start.what(), effect(hub.start(false, false)).key(), None), None, "another key finds nothing");
}

#[rstest]
#[case(&[("held", "yes")], "main", "no input takes `$key`")]
#[case(&[("gonogo_key", "$key"), ("slot", "v2")], "main", "Unexpected inputs provided")]
#[case(&[("gonogo_key", "$key")], "gone", "No ref found for: gone")]
#[case(&[("version", "$key")], "main", "add `run-name: release ${{ inputs.version }}` to the workflow on main")]
fn a_start_that_could_not_be_found_again_is_refused(#[case] inputs: &[(&str, &str)], #[case] branch: &str, #[case] words: &str) {
    let hub = Hub::new();
    let (kind, said) = not_done(hub.send(&hub.start_with(inputs, branch)));
    assert_eq!(kind, PortErrorKind::Refused);
    assert!(said.contains(words), "{said}");
    assert!(read(&hub).unwrap().builders[WORKFLOW].runs.is_empty());
}

#[test]
fn a_repetition_is_of_the_attempt_that_was_planned() {
    let hub = Hub::new();
    let run = hub.run(false, |run| run.state.is_over());
    let (first, second) = (effect(hub.retry(&run)), effect(hub.retry(&run)));
    hub.send(&first).unwrap();
    hub.run_until("attempt 2", &first, None, |run| run.state.is_over() && run.attempt == Some(2));
    let (kind, words) = not_done(hub.send(&second));
    assert_eq!(kind, PortErrorKind::Conflict);
    assert!(words.ends_with("attempt 2 is the newest by now, planned was attempt 1"), "{words}");
    assert_eq!(hub.lab.writes().iter().filter(|line| line.ends_with("/rerun")).count(), 1);
    let failed = StepEffect::Repeat { backend: hub.backend(), builder: WORKFLOW.into(), run: run.id.number, attempt: 2, failed_only: true };
    hub.send(&effect(failed)).unwrap();
    assert!(hub.lab.writes().last().unwrap().ends_with("/rerun-failed-jobs"), "{:?}", hub.lab.writes());
}

#[test]
fn an_answer_is_for_one_attempt_of_one_commit_at_a_gate_that_waits() {
    let hub = Hub::new();
    hub.lab.state().gated = true;
    let run = hub.run(false, |run| run.state == RunState::Running);
    let refused = |words: &str, answer: StepEffect| {
        let (kind, said) = not_done(hub.send(&effect(answer)));
        assert!(said.contains(words), "{said}");
        kind
    };
    let planned = hub.answer(&run, true);
    hub.lab.change(run.id.number, |attempt, _| *attempt = 2);
    assert_eq!(refused("attempt 2 is the newest by now", planned.clone()), PortErrorKind::Conflict);
    hub.lab.change(run.id.number, |attempt, sha| (*attempt, *sha) = (1, "2".repeat(40)));
    assert_eq!(refused("it builds 2222", planned.clone()), PortErrorKind::Conflict);
    hub.lab.change(run.id.number, |_, sha| *sha = "1".repeat(40));
    let StepEffect::Answer { backend, builder, run: number, attempt, revision, opens, .. } = planned.clone() else { panic!("{planned:?}") };
    let nowhere = StepEffect::Answer { backend, builder, run: number, attempt, revision, gates: Vec::new(), opens };
    assert_eq!(refused("no gate is named", nowhere), PortErrorKind::Refused);
    hub.lab.state().may_not_answer = true;
    assert_eq!(refused("may not answer at production; GitHub lets answer: cy-gh", planned.clone()), PortErrorKind::Forbidden);
    assert!(hub.lab.writes().iter().all(|line| line.ends_with("/dispatches")), "nothing was answered: {:?}", hub.lab.writes());
    hub.lab.state().may_not_answer = false;
    // Another hand was quicker, between the last look and the answer.
    hub.lab.answer_wrongly("POST", Wrong::says(422, "There are no pending deployment requests to approve or reject."));
    assert_eq!(refused("answered 422", planned.clone()), PortErrorKind::Refused);
    let approve = effect(planned);
    hub.lab.answer_wrongly("POST", Wrong { does: true, ..Wrong::says(500, "") });
    assert!(matches!(hub.send(&approve), Err(SendError::Unknown(_))));
    assert!(matches!(hub.find(approve.what(), approve.key(), None), Some(Found::Run(_))), "the answer bears the key");
}

#[test]
fn a_log_comes_from_the_signed_address_without_the_token_and_clean() {
    let hub = Hub::new();
    let run = hub.run(false, |run| run.state.is_over());
    let reading = hub.read(&[run.id.number]);
    let log = reading.builders[WORKFLOW].runs[0].steps[0].logs[0].id;
    let part = block(hub.ci.log(log, 0, 100)).unwrap();
    let lines: Vec<&str> = part.lines.iter().map(Text::as_str).collect();
    assert_eq!((lines, part.total, part.complete), (vec!["2026-11-23T10:00:00Z compiled", "␛[32mtested"], 2, true));
    let got = hub.lab.got();
    let signed = got.iter().find(|got| got.line.contains("/signed/")).unwrap();
    assert_eq!(signed.authorization, None);
    assert!(got.iter().filter(|got| !got.line.contains("/signed/")).all(|got| got.authorization.is_some()));
    assert_eq!(block(hub.ci.log(log, 1, 100)).unwrap().lines.len(), 1);
    assert_eq!(hub.lab.got().iter().filter(|got| got.line.contains("/signed/")).count(), 1, "an ended log is read once");
    assert_eq!(block(hub.ci.log(999_999, 0, 10)).unwrap_err().kind, PortErrorKind::NotFound);
}

#[test]
fn a_redirect_of_a_read_is_not_followed() {
    let hub = Hub::new();
    hub.lab.answer_wrongly("/runs", Wrong::says(301, "").with("location", "http://evil.example/?x=1"));
    let error = read(&hub).unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Refused);
    assert!(error.to_string().ends_with("answered 301 with a redirect to evil.example; redirects are not followed"), "{error}");
}

#[rstest]
#[case("<!DOCTYPE html>", "answered HTML instead of JSON: is this the address of GitHub's API?")]
#[case(r#"{"workflow_runs": 7}"#, "answered what GitHub does not")]
#[case(r#"{"workflow_runs": [{"id": "x"}]}"#, "answered what GitHub does not")]
fn what_is_no_github_is_said_to_be_none(#[case] body: &str, #[case] words: &str) {
    let hub = Hub::new();
    hub.lab.answer_wrongly("/runs", Wrong { body: body.to_owned(), ..Wrong::says(200, "") });
    let error = read(&hub).unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Malformed);
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn an_answer_that_never_comes_is_late() {
    let hub = Hub::new();
    let hasty = github_at(&hub.lab.url(), Duration::from_millis(300));
    hub.lab.answer_wrongly("/runs", Wrong::says(0, ""));
    assert_eq!(block(hasty.read(&[WORKFLOW.to_owned()], &[])).unwrap_err().kind, PortErrorKind::TimedOut);
}

#[test]
fn everybody_who_made_a_change_is_an_author_of_it() {
    let hub = Hub::new();
    range(&hub, "ahead", &[commit(2, "ana", "one"), commit(3, "cy", "two\n\nCo-authored-by: Eve <eve@shop.example>\n")]);
    // A squash: the commit tells one author, its pull request three.
    let pull = json!([{"number": 7, "merged_at": "2026-11-23T10:00:00Z", "merge_commit_sha": sha(3), "user": {"login": "dan"}, "head": {"sha": sha(9)}},
        {"number": 8, "merged_at": null, "user": {"login": "nobody"}, "head": {"sha": sha(9)}}]);
    hub.lab.fix(&format!("commits/{}/pulls", sha(3)), vec![pull]);
    hub.lab.fix("pulls/7/commits", vec![json!([commit(8, "fay", "a")]), json!([commit(9, "gus", "b")])]);
    assert_eq!(known(&hub), ["eve@shop.example", "ana", "cy", "dan", "fay", "gus"]);
    let range = authors(&hub);
    assert_eq!((range.from.as_str(), range.to.as_str(), range.commits), (sha(1).as_str(), sha(3).as_str(), 2));
}

#[test]
fn pages_of_a_range_are_all_read_or_nobody_is_known() {
    let hub = Hub::new();
    let all: Vec<Value> = (0..150).map(|number| commit(100 + number, "ana", "x")).collect();
    range(&hub, "ahead", &all);
    hub.lab.fix("compare/v1...v2", vec![comparison("ahead", 150, &all[..100]), comparison("ahead", 150, &all[100..])]);
    assert_eq!((known(&hub), authors(&hub).commits), (vec!["ana".to_owned()], 150));
    let hub = Hub::new();
    hub.lab.fix("compare/v1...v2", vec![comparison("ahead", 150, &all[..100])]);
    assert_eq!(unknown(&hub), "GitHub listed 100 of 150 commits between v1 and v2");
    let hub = Hub::new();
    hub.lab.fix("compare/v1...v2", vec![comparison("ahead", 150, &all[..100]), comparison("ahead", 151, &all[100..])]);
    assert_eq!(unknown(&hub), "v1 or v2 moved while what lies between was read");
    hub.lab.fix("compare/v1...v2", vec![comparison("ahead", 251, &all[..100])]);
    assert_eq!(unknown(&hub), "251 commits lie between v1 and v2, GitHub lists 250");
}

#[test]
fn a_rewritten_range_has_no_known_authors() {
    let hub = Hub::new();
    range(&hub, "diverged", &[commit(2, "ana", "one")]);
    assert!(unknown(&hub).starts_with("v1 is no ancestor of v2: history was rewritten"), "{}", unknown(&hub));
    let gone = Hub::new();
    assert_eq!(unknown(&gone), format!("v1 or v2 is not in {REPOSITORY}: it may have been rewritten"));
}

#[test]
fn the_way_back_has_the_authors_of_what_it_takes_away() {
    let hub = Hub::new();
    hub.lab.fix("compare/v1...v2", vec![comparison("behind", 0, &[])]);
    hub.lab.fix("compare/v2...v1", vec![comparison("ahead", 1, &[commit(5, "ana", "one")])]);
    hub.lab.fix(&format!("commits/{}/pulls", sha(5)), vec![json!([])]);
    assert_eq!(known(&hub), ["ana"]);
    let range = authors(&hub);
    assert_eq!((range.from.as_str(), range.to.as_str()), (sha(5).as_str(), sha(1).as_str()));
}

#[rstest]
#[case(commit(2, "", "one"), "the author of 00000000 has neither an account that GitHub knows nor an address")]
#[case(commit(2, "ana", "one\n\nCo-authored-by: Eve"), "a co-author of 00000000 has no address")]
fn who_is_missing_is_not_left_out(#[case] commit: Value, #[case] words: &str) {
    let hub = Hub::new();
    range(&hub, "ahead", &[commit]);
    assert_eq!(unknown(&hub), words);
}

#[test]
fn a_pull_request_that_is_too_long_to_read_hides_authors() {
    let hub = Hub::new();
    range(&hub, "ahead", &[commit(2, "ana", "one")]);
    let pull = |user: Value| json!([{"number": 7, "merged_at": "2026-11-23T10:00:00Z", "user": user, "head": {"sha": sha(9)}}]);
    hub.lab.fix(&format!("commits/{}/pulls", sha(2)), vec![pull(json!({"login": "dan"}))]);
    let page = |from: u64, to: u64| Value::Array((from..to).map(|number| commit(number, "fay", "x")).collect());
    hub.lab.fix("pulls/7/commits", vec![page(100, 200), page(200, 300), page(300, 350)]);
    assert_eq!(unknown(&hub), "pull request 7 has 250 commits or more, GitHub lists no further");
    hub.lab.fix(&format!("commits/{}/pulls", sha(2)), vec![pull(Value::Null)]);
    assert_eq!(unknown(&hub), "who opened pull request 7 is gone");
}

#[test]
fn a_failure_on_the_way_is_no_knowledge_of_authors() {
    let hub = Hub::new();
    range(&hub, "ahead", &[commit(2, "ana", "one")]);
    hub.lab.answer_wrongly("/pulls", Wrong::says(403, "Resource not accessible by personal access token"));
    let error = block(hub.ci.source().unwrap().authors(REPOSITORY, "v1", "v2")).unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Forbidden);
}

#[test]
fn a_review_of_an_older_commit_is_told_from_one_of_the_newest() {
    let hub = Hub::new();
    let pull = json!([{"number": 7, "merged_at": "2026-11-23T10:00:00Z", "user": {"login": "dan"}, "head": {"sha": sha(9)}}]);
    hub.lab.fix(&format!("commits/{}/pulls", sha(2)), vec![pull]);
    let review = |who: &str, state: &str, at: u64| json!({"user": {"login": who}, "state": state, "commit_id": sha(at), "submitted_at": "2026-11-23T10:00:00Z"});
    let reviews = json!([review("ana", "APPROVED", 8), review("cy", "APPROVED", 9), review("eve", "PENDING", 9), review("fay", "NEW", 9)]);
    hub.lab.fix("pulls/7/reviews", vec![reviews]);
    let reviews = block(hub.ci.source().unwrap().reviews(REPOSITORY, &sha(2))).unwrap();
    let told: Vec<_> = reviews.iter().map(|review| (review.by.as_str(), review.opinion, review.is_current)).collect();
    assert_eq!(told, [("ana", Opinion::Approved, false), ("cy", Opinion::Approved, true), ("fay", Opinion::Other, true)]);
}

#[test]
fn what_protects_an_environment_is_read_with_rules_that_are_not_known() {
    let hub = Hub::new();
    let rules = json!([{"type": "required_reviewers", "prevent_self_review": true, "reviewers": [{"type": "Team", "reviewer": {"slug": "release"}}]},
        {"type": "wait_timer", "wait_timer": 30}, {"type": "from_the_moon"}]);
    hub.lab.fix("environments/eu%2Fprod", vec![json!({"id": 7, "name": "eu/prod", "protection_rules": rules})]);
    let guard = block(hub.ci.source().unwrap().guard(REPOSITORY, "eu/prod")).unwrap().unwrap();
    assert_eq!((guard.wait_minutes, guard.prevents_self_review, guard.limits_branches), (Some(30), true, false));
    assert_eq!((guard.reviewers[0].as_str(), guard.other_rules[0].as_str()), ("release", "from_the_moon"));
    assert_eq!(block(hub.ci.source().unwrap().guard(REPOSITORY, "gone")).unwrap(), None);
}

#[test]
fn writes_follow_each_other_slowly_and_one_by_one() {
    let hub = Hub::new();
    let (one, two) = (effect(hub.start(false, false)), effect(hub.start(false, false)));
    #[expect(clippy::disallowed_methods, reason = "the pause between writes is one of real time")]
    let begun = std::time::Instant::now();
    let (first, second) = block(async { tokio::join!(hub.ci.send(&one), hub.ci.send(&two)) });
    assert!(first.is_ok() && second.is_ok());
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[test]
fn commands_are_what_a_person_would_call() {
    let hub = Hub::new();
    let run = hub.run(false, |run| run.state.is_over());
    let told = hub.ci.commands(&hub.retry(&run));
    assert_eq!(told.len(), 1);
    assert!(told[0].ends_with(&format!("/repos/acme/shop/actions/runs/{}/rerun'", run.id.number)), "{told:?}");
    assert!(told[0].contains("$GITHUB_TOKEN") && !told[0].contains(TOKEN));
    assert!(hub.ci.commands(&hub.answer(&run, false))[0].contains(r#""state":"rejected""#));
}
