//! `[oscal]`: which controls each topic of an assessment speaks to.

use super::super::file::Fields;
use super::super::node::Node;
use super::super::problem::Findings;
use super::super::settings::OscalSettings;

pub(super) const OSCAL: &[&str] = &["import_ap", "controls"];
pub(super) const CONTROLS: &[&str] = &["approvals", "segregation", "audit", "rollback", "reviews"];

/// `[oscal]`.
pub(super) fn oscal(root: &Fields<'_>, found: &mut Findings) -> OscalSettings {
    let mut settings = OscalSettings::default();
    let Some(fields) = root.get("oscal").and_then(|node| Fields::open(node, "[oscal]", OSCAL, found)) else { return settings };
    if let Some(node) = fields.get("import_ap")
        && let Some(href) = node.text("import_ap", found)
    {
        if href.chars().all(|c| c.is_ascii_graphic()) {
            href.clone_into(&mut settings.import_ap);
        } else {
            found.problem(node.at, "`import_ap` is no reference", "a URL, a path or `#ID`, without blanks");
        }
    }
    if let Some(node) = fields.get("controls") {
        controls(node, &mut settings, found);
    }
    settings
}

fn controls(node: &Node, settings: &mut OscalSettings, found: &mut Findings) {
    let Some(fields) = Fields::open(node, "`controls`", CONTROLS, found) else { return };
    for (key, place) in [
        ("approvals", &mut settings.approvals),
        ("segregation", &mut settings.segregation),
        ("audit", &mut settings.audit),
        ("rollback", &mut settings.rollback),
        ("reviews", &mut settings.reviews),
    ] {
        if fields.get(key).is_none() {
            continue;
        }
        place.clear();
        for (at, control) in fields.texts(key, found) {
            let begins = control.chars().next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
            if begins && control.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
                place.push(control.to_owned());
            } else {
                found.problem(at, &format!("`{}` is no identity of a control", control.escape_default()), "such as \"cm-3\" or \"ac-6.9\"");
            }
        }
    }
}
