//! What is a secret by the look of it: a value under a telling name, credentials before the `@` of an address, a token of a known make.

/// What stands in the place of a secret.
pub const HIDDEN: &str = "(secret)";
/// Names whose value is never told, in lower case, with `_` for `-`; as they stand within longer names, too.
const NAMES: [&str; 12] = [
    "authorization",
    "cookie",
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "api_key",
    "apikey",
    "access_key",
    "private_key",
    "credential",
];
/// Of these the value goes on to the end of the line.
const WHOLE: [&str; 2] = ["authorization", "cookie"];
/// How tokens of known makers begin.
const MAKES: [&str; 12] = ["ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "hvs.", "whsec_", "eyJ"];
/// A token of a known make is at least so long.
const LEAST: usize = 16;

/// Whether what bears this name is a secret.
pub fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    NAMES.iter().any(|known| name.contains(known))
}

/// The text without what looks like a secret.
pub fn by_form(text: &str) -> String {
    tokens(&schemes(&named(&addresses(text))))
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// Ends a value: quotes, brackets, white space and what parts values.
fn is_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '&' | ',' | ';' | ')' | ']' | '}' | '<' | '>' | '|')
}

/// `scheme://user:password@host` without what stands before the `@`.
fn addresses(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '?' | '#')).unwrap_or(after.len());
        let (authority, _) = after.split_at(end);
        // A password may hold a slash that nobody encoded, a path may hold an `@`: rather too much is taken out.
        rest = match authority.rsplit_once('@') {
            Some((credentials, _)) => {
                out.push_str(HIDDEN);
                after.get(credentials.len()..).unwrap_or_default()
            }
            None => after,
        };
    }
    out.push_str(rest);
    out
}

/// `name: value`, `name=value` and `"name": "value"` without the value, where the name is one that tells.
fn named(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let (before, word) = rest.split_at(start);
        out.push_str(before);
        let (name, after) = word.split_at(word.find(|c| !is_word(c)).unwrap_or(word.len()));
        out.push_str(name);
        rest = after;
        if !names_a_secret(name) {
            continue;
        }
        let Some((between, value)) = assigned(after) else { continue };
        let lower = name.to_ascii_lowercase();
        let quote = between.chars().next_back().filter(|c| matches!(c, '"' | '\''));
        let end = match quote {
            Some(quote) => value.find(quote),
            None if WHOLE.iter().any(|whole| lower.contains(whole)) => value.find(['"', '\'', '\n', '\u{b7}']),
            None => value.find(is_end),
        };
        out.push_str(between);
        if let Some(after) = value.strip_prefix(HIDDEN) {
            out.push_str(HIDDEN);
            rest = after;
            continue;
        }
        let (value, after) = value.split_at(end.unwrap_or(value.len()));
        if !value.trim().is_empty() {
            out.push_str(HIDDEN);
            out.push_str(value.get(value.trim_end().len()..).unwrap_or_default());
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// What stands between a name and its value, and the value on; none where nothing is assigned.
fn assigned(text: &str) -> Option<(&str, &str)> {
    let sign = text.find(|c: char| !matches!(c, '"' | '\'' | '\\' | ' '))?;
    let mut end = sign + text.get(sign..)?.strip_prefix([':', '=']).map(|_| 1)?;
    let more = text.get(end..)?;
    end += more.find(|c: char| !matches!(c, '>' | ' ' | '"' | '\'' | '\\' | '[')).unwrap_or(more.len());
    text.split_at_checked(end)
}

/// `Bearer X` and `Basic X` without what follows.
fn schemes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut hides = false;
    for piece in text.split_inclusive([' ', '"', '\'']) {
        let word = piece.trim_end_matches([' ', '"', '\'']);
        // "basic authentication" is no credential: one has more than small letters in it.
        let is_plain = word.len() < 20 && word.chars().all(|c| c.is_ascii_lowercase());
        if hides && word.len() >= 4 && word != HIDDEN && !is_plain {
            out.push_str(HIDDEN);
            out.push_str(piece.get(word.len()..).unwrap_or_default());
        } else {
            out.push_str(piece);
        }
        hides = matches!(word.to_ascii_lowercase().trim_start_matches(|c: char| !c.is_ascii_alphanumeric()), "bearer" | "basic");
    }
    out
}

/// Tokens of known makers.
fn tokens(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let (before, word) = rest.split_at(start);
        let (word, after) = word.split_at(word.find(|c| !is_word(c)).unwrap_or(word.len()));
        out.push_str(before);
        let is_token = word.len() >= LEAST && MAKES.iter().any(|make| word.starts_with(make));
        out.push_str(if is_token { HIDDEN } else { word });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_taken_out_and_the_rest_stays() {
        for (text, told) in [
            ("GET https://ana:pl4nt@host:8080/x?y=1 failed", "GET https://(secret)@host:8080/x?y=1 failed"),
            ("https://host/?token=pl4nt&from=1", "https://host/?token=(secret)&from=1"),
            ("Cookie: a=pl4nt; b=pl4nt", "Cookie: (secret)"),
            ("set-cookie: session=pl4nt; Path=/", "set-cookie: (secret)"),
            ("{\"access_token\": \"pl4nt pl4nt\", \"age\": 3}", "{\"access_token\": \"(secret)\", \"age\": 3}"),
            ("headers: {\"x-api-key\": \"pl4nt\"}", "headers: {\"x-api-key\": \"(secret)\"}"),
            ("PRIVATE-TOKEN: pl4nt", "PRIVATE-TOKEN: (secret)"),
            ("Authorization: Bearer pl4nt.pl4nt", "Authorization: (secret)"),
            ("sent Bearer pl4nt.Pl4nt and Basic cGw0bnQ= there", "sent Bearer (secret) and Basic (secret) there"),
            ("it needs basic authentication", "it needs basic authentication"),
            ("bad ghp_pl4ntpl4ntpl4nt here", "bad (secret) here"),
            ("password = 'pl4nt pl4nt'; x", "password = '(secret)'; x"),
            ("password=(secret) and cookie: (secret)", "password=(secret) and cookie: (secret)"),
            ("the token is not known", "the token is not known"),
            ("checkout@prod: 5 % of http://edge/health", "checkout@prod: 5 % of http://edge/health"),
        ] {
            assert_eq!(by_form(text), told, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_is_clean_stays_so(text in ".{0,80}") {
            let once = by_form(&text);
            proptest::prop_assert_eq!(by_form(&once), once);
        }

        #[test]
        fn no_value_under_a_telling_name_is_told(value in "[a-z0-9]{8,16}", name in "(password|api[-_]key|x-vault-token|Cookie|client_secret)", sign in "(=|: |\": \"|='|: \\[\")") {
            let told = by_form(&format!("a {name}{sign}{value}"));
            proptest::prop_assert!(!told.contains(&value), "{}", told);
        }
    }
}
