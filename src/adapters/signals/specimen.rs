//! A series that a selector matches, or just does not: what unit tests of rules are fed with.

use super::lexer::{Token, is_selector, lex, solid};

/// A matcher of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Matcher {
    label: String,
    sign: String,
    value: String,
}

/// A selector taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specimen {
    name: Option<String>,
    matchers: Vec<Matcher>,
}

impl Specimen {
    /// Of a plain selector without placeholders; none when it is something else.
    pub fn of(selector: &str) -> Option<Self> {
        let tokens = solid(&lex(selector).ok()?);
        if !is_selector(&tokens) {
            return None;
        }
        let (name, rest) = match tokens.as_slice() {
            [Token::Word(name), rest @ ..] => (Some(name.clone()), rest),
            rest => (None, rest),
        };
        let mut matchers = Vec::new();
        let mut rest = rest;
        while let Some((_, after)) = rest.split_first() {
            if let [Token::Word(label), Token::Sign(sign), Token::Quoted(quote, value), ..] = rest {
                let value = if *quote == '`' { value.clone() } else { unescaped(value) };
                matchers.push(Matcher { label: label.clone(), sign: sign.clone(), value });
            }
            rest = after;
        }
        let named = matchers.iter().find(|matcher| matcher.label == "__name__" && matcher.sign == "=").map(|matcher| matcher.value.clone());
        matchers.retain(|matcher| matcher.label != "__name__");
        Some(Self { name: name.or(named), matchers })
    }

    /// Whether both are of one metric.
    pub fn is_of_metric(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// A series that it matches: `name{label="value"}`.
    pub fn series(&self) -> Option<String> {
        self.with(&self.labels()?)
    }

    /// A series that it matches and `other`, of the same metric, does not.
    pub fn series_beside(&self, other: &Self) -> Option<String> {
        let mut labels = self.labels()?;
        let own = |matcher: &&Matcher| !self.matchers.contains(matcher);
        let broken = other.matchers.iter().find(own)?;
        let value = match broken.sign.as_str() {
            "!=" => broken.value.clone(),
            "!~" => word(&broken.value)?,
            _ => "another".to_owned(),
        };
        labels.retain(|(label, _)| label != &broken.label);
        labels.push((broken.label.clone(), value));
        self.with(&labels)
    }

    fn labels(&self) -> Option<Vec<(String, String)>> {
        let mut labels: Vec<(String, String)> = Vec::new();
        for matcher in &self.matchers {
            let value = match matcher.sign.as_str() {
                "=" => matcher.value.clone(),
                "=~" => word(&matcher.value)?,
                _ => continue,
            };
            if !value.is_empty() && !labels.iter().any(|(label, _)| label == &matcher.label) {
                labels.push((matcher.label.clone(), value));
            }
        }
        Some(labels)
    }

    fn with(&self, labels: &[(String, String)]) -> Option<String> {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}={}", serde_json::Value::from(value.as_str()))).collect();
        Some(format!("{}{{{}}}", self.name.as_deref()?, labels.join(",")))
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => {}
            },
            (c, false) => out.push(c),
        }
    }
    out
}

/// A word that a regular expression matches; none when it has parts beyond literals, classes, groups, choices and counts.
fn word(regex: &str) -> Option<String> {
    let chars: Vec<char> = regex.chars().collect();
    let (word, rest) = choice(&chars)?;
    rest.is_empty().then_some(word)
}

/// The first of some alternatives, and what comes after them.
fn choice(mut rest: &[char]) -> Option<(String, &[char])> {
    let mut first: Option<String> = None;
    loop {
        let mut word = String::new();
        while let Some((c, after)) = rest.split_first().filter(|(c, _)| !matches!(c, '|' | ')')) {
            let (piece, after) = piece(*c, after)?;
            let (times, after) = times(after)?;
            word.push_str(&piece.repeat(times));
            rest = after;
        }
        first.get_or_insert(word);
        match rest.split_first() {
            Some(('|', after)) => rest = after,
            _ => return Some((first?, rest)),
        }
    }
}

fn piece(c: char, after: &[char]) -> Option<(String, &[char])> {
    Some(match c {
        '.' => ("0".to_owned(), after),
        '^' | '$' => (String::new(), after),
        '\\' => match after.split_first()? {
            ('d', rest) => ("0".to_owned(), rest),
            ('w', rest) => ("a".to_owned(), rest),
            ('s', rest) => (" ".to_owned(), rest),
            (c, rest) if !c.is_ascii_alphanumeric() => (c.to_string(), rest),
            _ => return None,
        },
        '[' => {
            let (first, _) = after.split_first()?;
            let end = after.iter().position(|c| *c == ']')?;
            if matches!(first, '^' | '\\') {
                return None;
            }
            (first.to_string(), after.get(end + 1..)?)
        }
        '(' => {
            let inner = match after {
                ['?', ':', rest @ ..] => rest,
                ['?', ..] => return None,
                rest => rest,
            };
            let (word, rest) = choice(inner)?;
            (word, rest.split_first().filter(|(c, _)| **c == ')')?.1)
        }
        '*' | '+' | '?' | '{' => return None,
        c => (c.to_string(), after),
    })
}

/// How often a piece is taken: once, or the least number that is asked for.
fn times(after: &[char]) -> Option<(usize, &[char])> {
    match after {
        ['+' | '?' | '*', '?', rest @ ..] | ['+' | '?' | '*', rest @ ..] => Some((1, rest)),
        ['{', rest @ ..] => {
            let end = rest.iter().position(|c| *c == '}')?;
            let count: String = rest.iter().take(end).take_while(|c| c.is_ascii_digit()).collect();
            Some((count.parse().ok()?, rest.get(end + 1..)?))
        }
        _ => Some((1, after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("5..", Some("500"))]
    #[case("(5..|429)", Some("500"))]
    #[case("2..|3..", Some("200"))]
    #[case("[45]\\d{2}", Some("400"))]
    #[case("a\\.b.*", Some("a.b0"))]
    #[case("(?:GET|POST)+", Some("GET"))]
    #[case("[^5]..", None)]
    #[case("(?i)x", None)]
    #[case("a)", None)]
    fn a_word_of_a_regular_expression(#[case] regex: &str, #[case] found: Option<&str>) {
        assert_eq!(word(regex).as_deref(), found);
    }

    #[test]
    fn a_series_that_is_all_and_not_good() {
        let total = Specimen::of("requests_total{service=\"a\"}").unwrap();
        let good = Specimen::of("requests_total{service=\"a\",code!~\"(5..|429)\"}").unwrap();
        assert_eq!(total.series_beside(&good).unwrap(), "requests_total{service=\"a\",code=\"500\"}");
        let good = Specimen::of("requests_total{service=\"a\",result=\"ok\"}").unwrap();
        assert_eq!(total.series_beside(&good).unwrap(), "requests_total{service=\"a\",result=\"another\"}");
        assert_eq!(good.series().unwrap(), "requests_total{service=\"a\",result=\"ok\"}");
        assert_eq!(total.series_beside(&total), None);
        assert_eq!(Specimen::of("rate(x[5m])"), None);
    }
}
