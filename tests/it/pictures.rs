//! The pictures of the README are what gonogo draws.

use std::path::Path;

use crate::headless::place::Place;

#[test]
fn the_pictures_of_the_readme_are_what_gonogo_draws() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = std::fs::read_to_string(root.join("tests/pictures")).unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let place = Place::bare();
    let mut seen = 0;
    for line in script.lines().filter_map(|line| line.strip_prefix("picture ")) {
        let mut words = line.split_whitespace();
        let file = format!("fixtures/pictures/{}.svg", words.next().unwrap());
        let arguments: Vec<&str> = std::iter::once("render").chain(words).chain(["--format", "svg"]).collect();
        let drawn = place.run(&arguments).exits(0).out;
        let kept = std::fs::read_to_string(root.join(&file)).unwrap();
        // Not both in full: they are long, and nobody reads them.
        assert!(drawn == kept, "{file} is not what `gonogo {}` draws now; look at it and run tests/pictures", arguments.join(" "));
        assert!(drawn.starts_with("<svg ") && drawn.contains("SIMULATED"), "{file}");
        assert!(readme.contains(&file), "the README does not show {file}");
        seen += 1;
    }
    let files = std::fs::read_dir(root.join("fixtures/pictures")).unwrap().count();
    assert_eq!((seen, seen > 0), (files, true), "each picture has its line in tests/pictures");
}
