//! The lexical units of queries, and the few shapes of queries that folding knows.

use std::collections::BTreeSet;

/// One lexical unit of a query, as far as templates need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// White space or a comment.
    Blank,
    Word(String),
    Placeholder(String),
    Quoted(char, String),
    Sign(String),
}

/// Takes a query apart.
pub(super) fn lex(text: &str) -> Result<Vec<Token>, String> {
    let mut chars = text.chars().peekable();
    let mut tokens = Vec::new();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.');
    while let Some(c) = chars.next() {
        match c {
            '#' => {
                while chars.next_if(|c| *c != '\n').is_some() {}
                tokens.push(Token::Blank);
            }
            '"' | '\'' | '`' => {
                let mut inner = String::new();
                loop {
                    match chars.next() {
                        None => return Err("the query has a string without an end".to_owned()),
                        Some(end) if end == c => break,
                        Some('\\') if c != '`' => {
                            inner.push('\\');
                            inner.extend(chars.next());
                        }
                        Some(other) => inner.push(other),
                    }
                }
                tokens.push(Token::Quoted(c, inner));
            }
            '$' => {
                let mut name = String::new();
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                tokens.push(if name.is_empty() { Token::Sign("$".to_owned()) } else { Token::Placeholder(name) });
            }
            _ if word(c) => {
                let mut name = String::from(c);
                while let Some(c) = chars.next_if(|c| word(*c)) {
                    name.push(c);
                }
                tokens.push(Token::Word(name));
            }
            _ if c.is_whitespace() => tokens.push(Token::Blank),
            _ => {
                let mut sign = String::from(c);
                if matches!(c, '=' | '!' | '<' | '>') {
                    sign.extend(chars.next_if(|c| matches!(c, '=' | '~')));
                }
                tokens.push(Token::Sign(sign));
            }
        }
    }
    Ok(tokens)
}

/// The tokens without blanks.
pub(super) fn solid(tokens: &[Token]) -> Vec<Token> {
    tokens.iter().filter(|token| **token != Token::Blank).cloned().collect()
}

/// Whether a token is this sign.
pub(super) fn is_sign(token: Option<&Token>, sign: &str) -> bool {
    matches!(token, Some(Token::Sign(text)) if text == sign)
}

/// `name`, `name{..}` or `{..}` with matchers only.
pub(super) fn is_selector(tokens: &[Token]) -> bool {
    let matchers = match tokens {
        [Token::Word(name)] => return name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':')),
        [Token::Word(name), rest @ ..] if name.starts_with(|c: char| !c.is_ascii_digit()) => rest,
        _ => tokens,
    };
    let [open, inner @ .., close] = matchers else { return false };
    if !is_sign(Some(open), "{") || !is_sign(Some(close), "}") {
        return false;
    }
    inner.split(|token| is_sign(Some(token), ",")).all(|matcher| match matcher {
        [] => true,
        [Token::Word(_), Token::Sign(sign), Token::Quoted(..)] => matches!(sign.as_str(), "=" | "!=" | "=~" | "!~"),
        _ => false,
    })
}

/// The labels kept by `sum by (labels) (inner)` or `sum (inner) by (labels)`, where inner is a selector or a rate of one.
pub(super) fn grouped(tokens: &[Token]) -> Option<BTreeSet<String>> {
    let [Token::Word(name), rest @ ..] = tokens else { return None };
    if !matches!(name.as_str(), "sum" | "min" | "max" | "avg" | "count") {
        return None;
    }
    let (labels, inner) = match rest {
        [Token::Word(by), rest @ ..] if by == "by" => parentheses(rest)?,
        _ => match parentheses(rest)? {
            (inner, [Token::Word(by), labels @ ..]) if by == "by" => (parentheses(labels).filter(|(_, after)| after.is_empty())?.0, inner),
            _ => return None,
        },
    };
    let inner = parentheses(inner).filter(|(_, after)| after.is_empty()).map_or(inner, |(within, _)| within);
    let inner_is_simple = is_selector(inner)
        || match inner {
            [Token::Word(function), rest @ ..] if matches!(function.as_str(), "rate" | "irate" | "increase" | "delta" | "deriv") => {
                match parentheses(rest) {
                    Some(([selector @ .., open, Token::Word(_), close], [])) => {
                        is_sign(Some(open), "[") && is_sign(Some(close), "]") && is_selector(selector)
                    }
                    _ => false,
                }
            }
            _ => false,
        };
    inner_is_simple.then(|| {
        labels
            .iter()
            .filter_map(|token| match token {
                Token::Word(label) => Some(label.clone()),
                Token::Blank | Token::Placeholder(_) | Token::Quoted(..) | Token::Sign(_) => None,
            })
            .collect()
    })
}

/// What stands within the parentheses at the beginning, and what comes after them.
fn parentheses(tokens: &[Token]) -> Option<(&[Token], &[Token])> {
    let (first, rest) = tokens.split_first()?;
    if !is_sign(Some(first), "(") {
        return None;
    }
    let mut depth = 1_usize;
    for (at, token) in rest.iter().enumerate() {
        if is_sign(Some(token), "(") {
            depth += 1;
        } else if is_sign(Some(token), ")") {
            depth -= 1;
        }
        if depth == 0 {
            return Some((rest.get(..at)?, rest.get(at + 1..)?));
        }
    }
    None
}
