//! Placeholders in queries, matches and properties: `$service`, `$track` and the others.

use super::nearest::instead;

/// Every placeholder, without its `$`.
pub const KNOWN: &[&str] = &["service", "environment", "slot", "track", "version", "digest", "key"];

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Plain(&'a str),
    /// A name without its `$`, and the byte at which the `$` stands.
    Placeholder(&'a str, usize),
}

/// Cuts a template into plain text and placeholders: a `$` with letters, digits or `_` behind it that do not begin with a digit.
fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut plain = 0;
    let mut from = 0;
    while let Some(dollar) = template.get(from..).and_then(|rest| rest.find('$')).map(|at| at + from) {
        let behind = template.get(dollar + 1..).unwrap_or_default();
        let length = behind.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(behind.len());
        let name = behind.get(..length).unwrap_or_default();
        from = dollar + 1;
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            out.extend(template.get(plain..dollar).filter(|text| !text.is_empty()).map(Piece::Plain));
            out.push(Piece::Placeholder(name, dollar));
            from += length;
            plain = from;
        }
    }
    out.extend(template.get(plain..).filter(|text| !text.is_empty()).map(Piece::Plain));
    out
}

/// Puts values in place of placeholders. One without a value stays as it is.
///
/// The values go in as they are: quoting for the language of the template is the caller's part.
pub fn fill<'v>(template: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut out = String::with_capacity(template.len());
    for piece in pieces(template) {
        match piece {
            Piece::Plain(text) => out.push_str(text),
            Piece::Placeholder(name, _) => {
                if let Some(text) = value(name) {
                    out.push_str(text);
                } else {
                    out.push('$');
                    out.push_str(name);
                }
            }
        }
    }
    out
}

/// The placeholders of a template, without their `$`, in their order.
pub fn names(template: &str) -> impl Iterator<Item = &str> {
    pieces(template).into_iter().filter_map(|piece| match piece {
        Piece::Placeholder(name, _) => Some(name),
        Piece::Plain(_) => None,
    })
}

/// The first placeholder that is not `allowed`: its name with `$`, and what would be right.
pub(super) fn unknown(template: &str, allowed: &[&str]) -> Option<(String, String)> {
    pieces(template).into_iter().find_map(|piece| match piece {
        Piece::Placeholder(name, _) if !allowed.contains(&name) => {
            let dollars: Vec<String> = allowed.iter().map(|name| format!("${name}")).collect();
            let wrong = format!("${name}");
            let right = instead(&wrong, dollars.iter().map(String::as_str));
            Some((wrong, right))
        }
        Piece::Plain(_) | Piece::Placeholder(..) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_place_of_placeholders() {
        let filled = fill("up{service=\"$service\",x=~\"a$|$1\",s=\"$slot-x\"}", |name| match name {
            "service" => Some("checkout"),
            _ => None,
        });
        assert_eq!(filled, "up{service=\"checkout\",x=~\"a$|$1\",s=\"$slot-x\"}");
    }

    #[test]
    fn a_longer_name_is_another_placeholder() {
        assert_eq!(unknown("$services", KNOWN), Some(("$services".to_owned(), "`$service`".to_owned())));
        assert_eq!(unknown("$service $environment $", KNOWN), None);
    }

    proptest::proptest! {
        #[test]
        fn without_values_nothing_changes(template in "[$a-z0-9_ é]{0,40}") {
            proptest::prop_assert_eq!(fill(&template, |_| None), template);
        }
    }
}
