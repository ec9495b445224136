//! Where the weights of one weighted service stand in a file, so that nothing else of it is touched: TOML by its parser, YAML by a reader
//! of what people write there, which refuses the rest.

use std::ops::Range;
use std::path::Path;

use super::mapping;
use super::weight::{Place, bare};
use crate::config::weighted;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
}

/// The form by the end of the name, as Traefik tells them apart.
pub(super) fn form(file: &Path) -> Option<Form> {
    match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "yml" | "yaml" => Some(Form::Yaml),
        "toml" => Some(Form::Toml),
        _ => None,
    }
}

/// The weights of a service; says why they cannot be found.
pub(super) fn places(form: Form, text: &str, service: &str) -> Result<Vec<Place>, String> {
    let places = match form {
        Form::Yaml => mapping::places(text, service)?,
        Form::Toml => of_toml(text, service)?,
    };
    for (number, place) in places.iter().enumerate() {
        if places.iter().skip(number + 1).any(|other| other.name == place.name) {
            return Err(format!("{} stands twice under {service}", place.name));
        }
    }
    Ok(places)
}

fn of_toml(text: &str, service: &str) -> Result<Vec<Place>, String> {
    let below = weighted::in_toml(text, service)?;
    Ok(below.into_iter().map(|below| Place { name: bare(&below.name), weight: below.weight }).collect())
}

/// The text with other weights in the same places, from the last to the first so that places before stay where they are.
pub(super) fn written(text: &str, changes: &[(Range<usize>, u32)]) -> Option<String> {
    let mut changes: Vec<_> = changes.to_vec();
    changes.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut out = text.to_owned();
    for (range, weight) in changes {
        out.get(range.clone())?;
        out.replace_range(range, &weight.to_string());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = "# the shop\n[http.services.checkout.weighted]\n[[http.services.checkout.weighted.services]]\nname = \"v1\"\n\
                        weight = 100 # stable\n[[http.services.checkout.weighted.services]]\n  name = \"v2@file\"\n  weight=0\n\
                        [http.services.other.weighted]\nservices = [{ name = \"v1\", weight = 7 }, { name = \"v3\" }]\n";

    #[test]
    fn toml_is_changed_in_its_places_and_nowhere_else() {
        let places = places(Form::Toml, TOML, "checkout").unwrap();
        assert_eq!(places.iter().map(|place| place.name.as_str()).collect::<Vec<_>>(), ["v1", "v2"]);
        let changes: Vec<_> = places.iter().zip([80, 20]).map(|(place, new)| (place.weight.clone().unwrap().1, new)).collect();
        let new = written(TOML, &changes).unwrap();
        assert_eq!(new, TOML.replace("weight = 100", "weight = 80").replace("weight=0", "weight=20"));
    }

    #[test]
    fn toml_in_line_is_found_and_what_has_no_weight_is_said_so() {
        let places = places(Form::Toml, TOML, "other").unwrap();
        assert_eq!(places[0].weight.as_ref().map(|(weight, _)| *weight), Some(7));
        assert_eq!(places[1].weight, None);
    }

    #[test]
    fn toml_that_cannot_be_changed_safely_is_refused() {
        assert!(places(Form::Toml, TOML, "nothing").unwrap_err().contains("no weighted service nothing"));
        assert!(places(Form::Toml, "[http", "x").is_err());
        assert!(places(Form::Toml, &TOML.replace("100", "1_00"), "checkout").unwrap_err().contains("plain digits"));
        assert!(places(Form::Toml, &TOML.replace("v2@file", "v1@docker"), "checkout").unwrap_err().contains("twice"));
    }

    #[test]
    fn the_form_goes_by_the_end_of_the_name() {
        for (name, wanted) in
            [("a.yml", Some(Form::Yaml)), ("a.YAML", Some(Form::Yaml)), ("a.toml", Some(Form::Toml)), ("a.json", None), ("yml", None)]
        {
            assert_eq!(form(Path::new(name)), wanted, "{name}");
        }
    }
}
