//! Wrong sources, one or more for each rule, and the message that each must get.

use rstest::rstest;

use super::circles::circles;
use super::form::form;
use super::rules::{fences, forgeable, imports, makers, unfenced};
use super::source::Tree;

#[track_caller]
fn caught(found: &[String], message: &str) {
    assert_eq!(found.len(), 1, "one wrong thing, so one message: {found:#?}");
    assert!(found[0].contains(message), "`{}` does not say `{message}`", found[0]);
}

#[rstest]
#[case::upwards("src/model/a.rs", "use crate::control::World;", "`model` may import only nothing")]
#[case::same_floor("src/adapters/a.rs", "use crate::store::Sqlite;", "`adapters` may import only `model`, `ports`, `config`")]
#[case::skipping_the_gate("src/ui/a.rs", "use crate::adapters::traffic::haproxy::Haproxy;", "imports from `adapters`")]
#[case::ui_has_no_ports("src/ui/a.rs", "fn f(x: &dyn crate::ports::traffic::Traffic) {}", "imports from `ports`")]
#[case::policy_has_no_ports("src/policy/a.rs", "use crate::{model::deed::Deed, ports::clock::Clock};", "imports from `ports`")]
#[case::by_super("src/config/a.rs", "use super::super::policy::judge;", "imports from `policy`")]
#[case::by_alias("src/store/a.rs", "use crate as house; fn f() { house::control::run(); }", "imports from `control`")]
#[case::in_a_body("src/analysis/a.rs", "fn f() { let x = crate::config::load(); }", "imports from `config`")]
#[case::in_a_macro("src/analysis/a.rs", "fn f() { format!(\"{}\", crate::config::load()); }", "imports from `config`")]
#[case::in_an_inner_module("src/model/a.rs", "mod b { use super::super::super::ports::clock; }", "imports from `ports`")]
#[case::no_floor("src/helpers.rs", "fn f() {}", "is no floor")]
fn an_import_that_does_not_go_down(#[case] path: &str, #[case] text: &str, #[case] message: &str) {
    caught(&imports(&Tree::of(&[(path, text)])), message);
}

#[test]
fn imports_that_go_down_and_those_of_tests_are_quiet() {
    let tree = Tree::of(&[
        ("src/model/deed.rs", "use super::name::Target; #[cfg(test)] mod tests { use crate::control::World; }"),
        ("src/model/name.rs", "pub struct Target; #[test] fn f() { crate::cli::main(); }"),
        ("src/cli/run.rs", "use crate::{store::Sqlite, serve::local, adapters, ui};"),
        ("src/control/plan.rs", "use crate::policy::judge; pub(in crate::control) fn f() { judge::judge(\"crate::cli::x\"); }"),
        ("src/main.rs", "fn main() { gonogo::cli::main() }"),
    ]);
    assert_eq!(imports(&tree), Vec::<String>::new());
    assert_eq!(circles(&tree), Vec::<String>::new());
}

#[rstest]
#[case::clap("src/config/a.rs", "use clap::Parser;", "`clap`, which belongs only to `cli`")]
#[case::derive("src/config/a.rs", "#[derive(clap::Parser)] struct A;", "`clap`")]
#[case::eyre("src/store/a.rs", "fn f() -> color_eyre::Result<()> { Ok(()) }", "`color_eyre`")]
#[case::ratatui("src/control/a.rs", "use ratatui::text::Line;", "`ratatui`, which belongs only to `ui`")]
#[case::textarea("src/serve/a.rs", "use tui_textarea::TextArea;", "`tui_textarea`")]
#[case::crossterm("src/ui/a.rs", "use crossterm::event::KeyCode;", "`crossterm`")]
#[case::crossterm_behind("src/ui/a.rs", "use ratatui::crossterm::event::KeyCode;", "`ratatui::crossterm`")]
#[case::reqwest("src/control/engine.rs", "use reqwest::Client;", "`reqwest`, which belongs only to `adapters`")]
#[case::sqlx("src/cli/a.rs", "fn f() { sqlx::query(\"\"); }", "`sqlx`")]
#[case::ssh_key("src/adapters/a.rs", "use ssh_key as keys;", "`ssh_key`")]
#[case::toml("src/ui/theme.rs", "use toml::Value;", "`toml`, which belongs only to `config`")]
#[case::directories("src/store/a.rs", "use directories::ProjectDirs;", "`directories`")]
#[case::tokio("src/control/update.rs", "use tokio::sync::mpsc;", "`control::driver`, `control::engine`")]
#[case::tokio_macro("src/policy/a.rs", "fn f() { tokio::select! { x = y => {} } }", "`tokio`")]
#[case::tokio_attribute("src/ui/a.rs", "#[tokio::main] async fn f() {}", "`tokio`")]
#[case::tokio_in_a_macro("src/ui/a.rs", "fn f() { vec![tokio::spawn(x)]; }", "`tokio`")]
#[case::files("src/policy/a.rs", "fn f() { std::fs::read(\"rules\"); }", "`std::fs`")]
#[case::by_name("src/ui/a.rs", "use std as s; fn f() { s::process::exit(1); }", "`std::process`")]
fn a_crate_outside_its_fence(#[case] path: &str, #[case] text: &str, #[case] message: &str) {
    caught(&fences(&Tree::of(&[(path, text)])), message);
}

#[test]
fn crates_inside_their_fence_and_names_that_only_look_like_them_are_quiet() {
    let tree = Tree::of(&[
        ("src/control/driver.rs", "use tokio::sync::mpsc;"),
        ("src/control/engine/step.rs", "use tokio::time::timeout;"),
        ("src/adapters/kube.rs", "use reqwest::Client; #[cfg(test)] mod tests { use ratatui::text::Line; }"),
        ("src/control/a.rs", "use crate::config::toml; fn f() { let tokio = toml::parse(\"sqlx::query\"); }"),
        ("src/config/toml.rs", "pub fn parse() { ::toml::from_str(x) }"),
        ("src/main.rs", "fn main() -> color_eyre::Result<()> { Ok(()) }"),
    ]);
    assert_eq!(fences(&tree), Vec::<String>::new());
}

#[test]
fn a_dependency_without_a_fence() {
    caught(
        &unfenced("[package]\n\n[dependencies]\nserde = \"1\"\nleft-pad = \"1\"\n\n[dev-dependencies]\nfree = \"1\"\n"),
        "`left_pad` has no fence",
    );
}

#[rstest]
#[case::two(&[("src/model/a.rs", "use super::b::B;"), ("src/model/b.rs", "use super::a::A;")], "model::a -> model::b (by `super::b::B`)")]
#[case::three(
    &[
        ("src/model/a.rs", "use super::b::B;"),
        ("src/model/b.rs", "fn f() { crate::model::c::c(); }"),
        ("src/model/c.rs", "use crate::model::a;"),
    ],
    "model::c -> model::a"
)]
#[case::by_re_export(&[("src/ui/x.rs", "pub use super::y::Y;"), ("src/ui/y.rs", "use super::x::*;")], "ui::x -> ui::y")]
#[case::through_a_child(
    &[("src/ui/x.rs", "mod z; fn f() { super::y::y(); }"), ("src/ui/x/z.rs", "pub struct Z;"), ("src/ui/y.rs", "use super::x::z::Z; use super::x;")],
    "ui::x -> ui::y"
)]
fn a_circle(#[case] files: &[(&str, &str)], #[case] message: &str) {
    caught(&circles(&Tree::of(files)), message);
}

#[test]
fn a_parent_and_its_child_are_one_module_in_two_files() {
    let tree = Tree::of(&[("src/ui/mod.rs", "mod a; use a::A; pub struct B;"), ("src/ui/a.rs", "use super::B;")]);
    assert_eq!(circles(&tree), Vec::<String>::new());
}

#[rstest]
#[case::permit("src/control/engine.rs", "fn f() { Permit::grant(plan); }", "makes a `Permit`, which only src/policy/judge.rs")]
#[case::permit_in_policy("src/policy/window.rs", "fn f() { crate::model::deed::Permit::grant(plan); }", "`Permit`")]
#[case::permit_in_model("src/model/deed.rs", "impl Permit { fn f() { Self::grant(plan); } }", "`Permit`")]
#[case::by_alias("src/cli/a.rs", "use crate::model::deed::Permit as P; fn f() { P::grant(plan); }", "`Permit`")]
#[case::by_type("src/cli/a.rs", "type P = Permit; fn f() { P::grant(plan); }", "`Permit`")]
#[case::in_brackets("src/cli/a.rs", "fn f() { <Permit>::grant(plan); }", "`Permit`")]
#[case::as_a_value("src/cli/a.rs", "fn f() { plans.map(Permit::grant); }", "`Permit`")]
#[case::in_a_macro("src/cli/a.rs", "fn f() { vec![Permit::grant(plan)]; }", "`Permit`")]
#[case::recorded(
    "src/adapters/traffic/haproxy.rs",
    "fn f() { Recorded::attest(plan, 0, 1); }",
    "makes a `Recorded`, which only src/store/"
)]
fn a_capability_from_the_wrong_hands(#[case] path: &str, #[case] text: &str, #[case] message: &str) {
    caught(&makers(&Tree::of(&[(path, text)])), message);
}

#[test]
fn the_makers_and_tests_may_make_capabilities() {
    let tree = Tree::of(&[
        ("src/policy/judge.rs", "fn f() { Permit::grant(plan); }"),
        ("src/store/record.rs", "fn f() { Recorded::attest(plan, 0, 1); }"),
        ("src/control/engine.rs", "#[cfg(test)] mod tests { fn f() { Permit::grant(plan); } } #[cfg(test)] mod rows;"),
        ("src/control/engine/rows.rs", "fn f() { Permit::grant(plan); }"),
    ]);
    assert_eq!(makers(&tree), Vec::<String>::new());
}

#[rstest]
#[case::field("pub struct Permit { pub plan: PlanId }", "make it private")]
#[case::default("#[derive(Debug, Default)] pub struct Recorded { plan: PlanId }", "derives `Default`")]
#[case::read_back("#[derive(serde::Deserialize)] pub struct Permit { plan: PlanId }", "derives `Deserialize`")]
#[case::twice("#[derive(Clone)] pub struct Effect { key: EffectKey }", "derives `Clone`")]
fn a_capability_that_anyone_could_make(#[case] text: &str, #[case] message: &str) {
    caught(&forgeable(&Tree::of(&[("src/model/deed.rs", text)])), message);
}

#[rstest]
#[case::no_sentence("use std::fmt;", "begins without a sentence")]
#[case::only_a_title("//! Deeds\n", "begins without a sentence")]
#[case::allow("//! A.\n#[allow(dead_code)] fn f() {}", "`#[expect(lint, reason")]
#[case::allow_inside("//! A.\n#![allow(dead_code)]\n", "`#[expect(lint, reason")]
#[case::allow_hidden("//! A.\n#[cfg_attr(test, allow(dead_code))] fn f() {}", "`#[expect(lint, reason")]
#[case::allow_in_a_macro("//! A.\nmacro_rules! a { () => { #[allow(dead_code)] fn f() {} } }", "`#[expect(lint, reason")]
#[case::later("//! A.\nfn f() { todo!() }", "left for later")]
#[case::never("//! A.\nfn f() { std::unimplemented!() }", "left for later")]
fn a_file_without_the_form(#[case] text: &str, #[case] message: &str) {
    caught(&form(&Tree::of(&[("src/model/a.rs", text)])), message);
}

#[test]
fn a_long_file_needs_a_reason() {
    let lines = "// x\n".repeat(500);
    caught(&form(&Tree::of(&[("src/model/a.rs", &format!("//! A.\n{lines}"))])), "501 lines, more than 500");
    caught(&form(&Tree::of(&[("src/model/a.rs", &format!("//! A.\n// long because: \n{lines}"))])), "502 lines");
    let reasoned = format!("//! A.\n// long because: one table that is read as a whole\n{lines}");
    assert_eq!(form(&Tree::of(&[("src/model/a.rs", &reasoned)])), Vec::<String>::new());
}
