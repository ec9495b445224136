//! Query templates: where placeholders stand, which of them can be folded into one query, and how values are escaped.

use std::collections::{BTreeMap, BTreeSet};

use super::lexer::{Token, grouped, is_selector, is_sign, lex, solid};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// `label="$placeholder"`, the whole value of an equality.
    Matcher {
        label: String,
        placeholder: String,
    },
    /// Within a string; `regex` when it belongs to `=~` or `!~`.
    Within {
        placeholder: String,
        quote: char,
        regex: bool,
    },
    Bare(String),
}

/// What a query computes, as far as folding must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    /// `name{..}`: every label of the series comes back.
    Selector,
    /// An aggregation of one selector that keeps these labels.
    Grouped(BTreeSet<String>),
    Other,
}

/// A query with placeholders, understood.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pieces: Vec<Piece>,
    shape: Shape,
    named: bool,
}

impl Template {
    /// Takes a template apart.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let all = lex(text)?;
        let tokens = solid(&all);
        if tokens.is_empty() {
            return Err("the query is empty".to_owned());
        }
        let shape = if is_selector(&tokens) { Shape::Selector } else { grouped(&tokens).map_or(Shape::Other, Shape::Grouped) };
        let named = shape == Shape::Selector && matches!(tokens.first(), Some(Token::Word(_)));
        Ok(Self { pieces: pieces(&all), shape, named })
    }

    /// Whether it is a plain selector, so that a range can be asked of it.
    pub(super) fn is_selector(&self) -> bool {
        self.shape == Shape::Selector
    }

    /// Whether it is a plain selector of one metric.
    pub(super) fn is_named(&self) -> bool {
        self.named
    }

    /// All placeholders in it.
    pub(super) fn placeholders(&self) -> BTreeSet<&str> {
        self.pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Text(_) => None,
                Piece::Matcher { placeholder, .. } | Piece::Within { placeholder, .. } | Piece::Bare(placeholder) => {
                    Some(placeholder.as_str())
                }
            })
            .collect()
    }

    /// Labels and the placeholders that are their whole value and can take many values in one query, since the answer tells them apart.
    pub(super) fn foldable(&self) -> Vec<(&str, &str)> {
        let mut fixed = BTreeSet::new();
        let mut pairs = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(_) => {}
                Piece::Within { placeholder, .. } | Piece::Bare(placeholder) => {
                    fixed.insert(placeholder.as_str());
                }
                Piece::Matcher { label, placeholder } => {
                    let kept = match &self.shape {
                        Shape::Selector => true,
                        Shape::Grouped(labels) => labels.contains(label),
                        Shape::Other => false,
                    };
                    if kept {
                        pairs.push((label.as_str(), placeholder.as_str()));
                    } else {
                        fixed.insert(placeholder.as_str());
                    }
                }
            }
        }
        pairs.retain(|(_, placeholder)| !fixed.contains(placeholder));
        pairs
    }

    /// The query for these values; several values only for foldable placeholders.
    pub(super) fn fill(&self, values: &BTreeMap<&str, BTreeSet<&str>>) -> Result<String, String> {
        let all = |name: &str| values.get(name).filter(|all| !all.is_empty()).ok_or_else(|| format!("nothing stands for `${name}`"));
        let one = |name: &str| all(name)?.first().copied().ok_or_else(|| format!("nothing stands for `${name}`"));
        let mut query = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => query.push_str(text),
                Piece::Matcher { label, placeholder } => {
                    let all = all(placeholder)?;
                    query.push_str(label);
                    if all.len() == 1 {
                        query.push_str("=\"");
                        query.push_str(&quoted(one(placeholder)?, '"')?);
                    } else {
                        query.push_str("=~\"");
                        let alternatives: Vec<String> = all.iter().map(|value| literal(value)).collect();
                        query.push_str(&quoted(&alternatives.join("|"), '"')?);
                    }
                    query.push('"');
                }
                Piece::Within { placeholder, quote, regex } => {
                    let value = one(placeholder)?;
                    query.push_str(&if *regex { quoted(&literal(value), *quote)? } else { quoted(value, *quote)? });
                }
                Piece::Bare(placeholder) => {
                    let value = one(placeholder)?;
                    if value.is_empty() || !value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':')) {
                        return Err(format!("the value of `${placeholder}` may stand only within quotes"));
                    }
                    query.push_str(value);
                }
            }
        }
        Ok(query)
    }
}

/// A value as RE2 matches it literally.
fn literal(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A value as it stands between these quotes.
fn quoted(value: &str, quote: char) -> Result<String, String> {
    if quote == '`' {
        return if value.contains('`') {
            Err("a value with a backtick cannot stand between backticks".to_owned())
        } else {
            Ok(value.to_owned())
        };
    }
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\\' => out.push_str("\\\\"),
            _ if c == quote => {
                out.push('\\');
                out.push(c);
            }
            _ if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    Ok(out)
}

fn pieces(tokens: &[Token]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = tokens;
    let mut operator = "";
    let mut depth = 0_usize;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            Token::Blank => pieces.push(Piece::Text(" ".to_owned())),
            Token::Word(word) => match whole_equality(after) {
                Some((placeholder, after)) if depth > 0 => {
                    pieces.push(Piece::Matcher { label: word.clone(), placeholder: placeholder.to_owned() });
                    rest = after;
                }
                _ => pieces.push(Piece::Text(word.clone())),
            },
            Token::Placeholder(name) => pieces.push(Piece::Bare(name.clone())),
            Token::Sign(sign) => {
                match sign.as_str() {
                    "{" => depth += 1,
                    "}" => depth = depth.saturating_sub(1),
                    _ => {}
                }
                operator = sign.as_str();
                pieces.push(Piece::Text(sign.clone()));
            }
            Token::Quoted(quote, inner) => within(&mut pieces, *quote, inner, matches!(operator, "=~" | "!~")),
        }
    }
    while pieces.last() == Some(&Piece::Text(" ".to_owned())) {
        pieces.pop();
    }
    pieces
}

/// The placeholder of `="$placeholder"` at the beginning, and what comes after it.
fn whole_equality(tokens: &[Token]) -> Option<(&str, &[Token])> {
    let mut solid = tokens.iter().enumerate().filter(|(_, token)| **token != Token::Blank);
    let (_, equals) = solid.next()?;
    let (at, Token::Quoted(_, inner)) = solid.next()? else { return None };
    let name = inner.strip_prefix('$')?;
    let whole = is_sign(Some(equals), "=") && !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    whole.then_some((name, tokens.get(at + 1..)?))
}

fn within(pieces: &mut Vec<Piece>, quote: char, inner: &str, regex: bool) {
    let mut text = String::from(quote);
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && quote != '`' {
            text.push(c);
            text.extend(chars.next());
            continue;
        }
        let mut name = String::new();
        if c == '$' && chars.peek().is_some_and(|c| c.is_ascii_alphabetic() || *c == '_') {
            while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                name.push(c);
            }
        }
        if name.is_empty() {
            text.push(c);
        } else {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Within { placeholder: name, quote, regex });
        }
    }
    text.push(quote);
    pieces.push(Piece::Text(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill(template: &str, values: &[(&str, &[&str])]) -> Result<String, String> {
        let values = values.iter().map(|(name, all)| (*name, all.iter().copied().collect())).collect();
        Template::parse(template)?.fill(&values)
    }

    #[test]
    fn a_whole_equality_takes_many_values_and_each_is_literal() {
        let query = fill(r#"m{service="$s",code=~"5.."}"#, &[("s", &["a.b", "c|d"])]).unwrap();
        assert_eq!(query, r#"m{service=~"a\\.b|c\\|d",code=~"5.."}"#);
        assert_eq!(fill(r#"m{service="$s"}"#, &[("s", &["a\"}or b\\"])]).unwrap(), r#"m{service="a\"}or b\\"}"#);
    }

    #[test]
    fn a_value_cannot_break_out_of_its_place() {
        assert_eq!(fill("m{a='x-$s'}", &[("s", &["'} or up{b='"])]).unwrap(), r"m{a='x-\'} or up{b=\''}");
        assert_eq!(fill(r#"m{a=~"x-$s.*"}"#, &[("s", &[".*"])]).unwrap(), r#"m{a=~"x-\\.\\*.*"}"#);
        assert!(fill("m{a=`x-$s`}", &[("s", &["`}"])]).is_err());
        assert!(fill("m_total + $s", &[("s", &["up or 1"])]).is_err());
        assert_eq!(fill("m{a=\"$s\"}", &[("s", &["a\nb"])]).unwrap(), "m{a=\"a\\nb\"}");
    }

    #[test]
    fn what_stands_for_nothing_is_an_error_and_a_regular_expressions_end_is_none() {
        assert_eq!(fill(r#"m{a="$s"}"#, &[]).unwrap_err(), "nothing stands for `$s`");
        assert_eq!(fill(r#"m{a=~"5..$"}"#, &[]).unwrap(), r#"m{a=~"5..$"}"#);
        assert!(fill(r#"m{a="x"#, &[]).is_err());
        assert!(fill("", &[]).is_err());
    }

    #[test]
    fn only_what_the_answer_can_tell_apart_is_folded() {
        let foldable = |template: &str| {
            let template = Template::parse(template).unwrap();
            template.foldable().into_iter().map(|(label, name)| format!("{label}={name}")).collect::<Vec<_>>().join(",")
        };
        assert_eq!(foldable(r#"m{service="$service",track="$track"}"#), "service=service,track=track");
        assert_eq!(foldable(r#"m{service="$service",job=~"$service-.*"}"#), "", "it stands elsewhere too");
        assert_eq!(foldable(r#"m{service!="$service"}"#), "");
        assert_eq!(foldable(r#"sum(rate(m{service="$service"}[5m]))"#), "", "the label is lost");
        assert_eq!(foldable(r#"sum by (service) (rate(m{service="$service",track="$track"}[5m]))"#), "service=service");
        assert_eq!(foldable(r#"sum(m{service="$service"}) by (service)"#), "service=service");
        assert_eq!(foldable(r#"topk by (service) (1, m{service="$service"})"#), "");
        assert_eq!(foldable(r#"sum by (service)(m{service="$service"}) / sum by (service)(n{service="$service"})"#), "");
        assert_eq!(foldable(r#"sum by (service)(m{service="$service"}) > 1"#), "");
    }

    #[test]
    fn a_plain_selector_is_told_from_what_computes() {
        let plain = |template: &str| Template::parse(template).unwrap().is_selector();
        for yes in ["up", "a:b{}", r#"m{a="1",b!~"2",}"#, r#"{__name__="x"}"#, "m{a=\"1\"} # why"] {
            assert!(plain(yes), "{yes}");
        }
        for no in ["rate(m[5m])", "m[5m]", "m offset 5m", "1", "m > 0", "m or n", "vector(0)", "-m", "m{a=\"1\"}[5m]"] {
            assert!(!plain(no), "{no}");
        }
    }

    #[test]
    fn a_query_keeps_its_meaning_when_it_is_written_again() {
        let query = r#"sum by (le, job) (rate(m_bucket{a="x"}[5m] offset 1h)) / on (job) group_left sum(n) by (job) > bool 1.5e-3"#;
        let once = fill(query, &[]).unwrap();
        assert_eq!(once, query);
        assert_eq!(fill("m { a = '$s' } # a comment\n", &[("s", &["1"])]).unwrap(), "m { a=\"1\" }");
    }

    proptest! {
        #[test]
        fn no_template_and_no_value_brings_it_down(template in any::<String>(), value in any::<String>()) {
            if let Ok(template) = Template::parse(&template) {
                let values = template.placeholders().into_iter().map(|name| (name, [value.as_str()].into())).collect();
                let _ = template.fill(&values);
                let _ = template.foldable();
            }
        }

        #[test]
        fn a_value_in_quotes_stays_one_string(value in any::<String>()) {
            let query = fill(r#"m{a="$s",b="c"}"#, &[("s", &[value.as_str()])]).unwrap();
            prop_assert!(is_selector(&solid(&lex(&query).unwrap())), "{}", query);
        }
    }
}
