//! The schema of the configuration as an editor meets it: a validator that is not ours takes what `config check` takes, and no wrong shape.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::place::Place;
use crate::servers::support::installed;

/// Validates TOML files against a schema, one line each: its path, and what is wrong, or nothing.
const VALIDATE: &str = "import json, jsonschema_rs, sys, tomllib\n\
    schema = json.load(open(sys.argv[1]))\n\
    jsonschema_rs.meta.validate(schema)\n\
    check = jsonschema_rs.validator_for(schema)\n\
    for path in sys.argv[2:]:\n\
    \x20   try:\n\
    \x20       file = tomllib.load(open(path, 'rb'))\n\
    \x20   except Exception:\n\
    \x20       print(path, 'no TOML', sep='\\t')\n\
    \x20       continue\n\
    \x20   wrong = [str(list(e.instance_path)) + ' ' + e.message[:200] for e in check.iter_errors(file)]\n\
    \x20   print(path, '; '.join(wrong), sep='\\t')\n";

fn validated(place: &Place, files: &[PathBuf]) -> BTreeMap<PathBuf, String> {
    let schema = place.write("schema.json", &place.run(&["config", "schema"]).exits(0).out);
    let mut python = Command::new(installed().join("venv/bin/python"));
    let ran = python.args(["-c", VALIDATE]).arg(schema).args(files).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let lines = String::from_utf8(ran.stdout).unwrap();
    lines.lines().map(|line| line.split_once('\t').unwrap()).map(|(path, wrong)| (path.into(), wrong.to_owned())).collect()
}

/// Whether what `config check` says of a file is about its shape: a key that is not known, one that is missing, a value of another type.
fn is_of_shape(line: &str) -> bool {
    let said = line.split("; expected").next().unwrap_or_default();
    let types = ["a string", "an integer", "a float", "a boolean", "an array", "a table", "a date"];
    said.contains("unknown key `") || said.contains(" has no `") || types.iter().any(|kind| said.ends_with(&format!("` is {kind}")))
}

#[test]
fn a_validator_takes_what_is_right_and_refuses_each_wrong_shape() {
    let place = Place::bare();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config");
    let example = place.write("example.toml", &place.run(&["config", "example"]).exits(0).out);
    let found = place.write("found.toml", &place.run(&["init", "--only", "--out", "-"]).exits(0).out);
    let right = [example, found, fixtures.join("contracts.toml"), fixtures.join("judge.toml")];
    for (path, wrong) in validated(&place, &right) {
        assert_eq!(wrong, "", "{}", path.display());
    }
    let wrong: Vec<PathBuf> = std::fs::read_dir(fixtures.join("wrong")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let says = |path: &PathBuf| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let of_shape: Vec<PathBuf> =
        wrong.into_iter().filter(|path| says(path).lines().filter_map(|line| line.strip_prefix("#= ")).any(is_of_shape)).collect();
    assert!(of_shape.len() > 25, "only {} files of a wrong shape", of_shape.len());
    // Which of two keys a pipeline needs is decided by the kind of another table, which no schema can see.
    let of_shape: Vec<PathBuf> = of_shape.into_iter().filter(|path| !path.ends_with("pipeline-without-builder.toml")).collect();
    let taken: Vec<String> = validated(&place, &of_shape)
        .into_iter()
        .filter(|(_, wrong)| wrong.is_empty())
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(taken.is_empty(), "the schema takes {taken:#?}");
}
