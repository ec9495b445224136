//! Named testers, who reach the version on trial before anybody else does: what their requests bear.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::Text;

/// Where a request says that it is a tester's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bears {
    /// In a header.
    Header,
    /// In a cookie.
    Cookie,
}

impl Bears {
    /// Its word in the configuration, in JSON and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

/// Who the testers of a target are: whose requests bear a header or cookie of this value. Routers are prepared to give them to a pool of
/// their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Testers {
    /// What bears it.
    pub bears: Bears,
    /// The name of the header or cookie.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Testers {
    /// Whether a condition that a router told, as [`header`] and [`other`] write it, lets nobody pass but them. A header must have exactly the
    /// value; of a cookie it is enough that the condition names it with its value, since routers spell cookies in their own ways.
    fn is(&self, condition: &Text) -> bool {
        match self.bears {
            Bears::Header => *condition == header(&self.name, &self.value),
            Bears::Cookie => {
                let (name, value) = (&self.name, &self.value);
                let text = condition.as_str().to_ascii_lowercase();
                text.starts_with("header cookie")
                    && !text.starts_with("header cookie is not")
                    && condition.as_str().contains(&format!("{name}={value}"))
            }
        }
    }

    /// The first way into a pool, as its router told them, that others than they can go; none when there is no such way.
    pub fn let_past<'a>(&self, ways: &'a [Vec<Text>]) -> Option<&'a [Text]> {
        ways.iter().find(|way| !way.iter().any(|condition| self.is(condition))).map(Vec::as_slice)
    }
}

impl fmt::Display for Testers {
    /// `header x-canary=yes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}={}", self.bears.word(), self.name, self.value)
    }
}

/// A condition that a header has exactly this value: `header x-canary=yes`. Names of headers are the same in both cases.
pub fn header(name: &str, value: &str) -> Text {
    Text::clean(&format!("header {}={value}", name.to_ascii_lowercase()))
}

/// Another condition about a header, in the router's own words: `header cookie ~ .*canary=yes.*`.
pub fn other(name: &str, words: &str) -> Text {
    Text::clean(&format!("header {} {words}", name.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn testers(bears: Bears) -> Testers {
        Testers { bears, name: "X-Canary".to_owned(), value: "yes".to_owned() }
    }

    #[test]
    fn every_way_into_their_pool_must_ask_for_what_they_bear() {
        let by_header = testers(Bears::Header);
        let theirs = vec![Text::clean("path /cart"), header("x-canary", "yes")];
        assert_eq!(by_header.let_past(std::slice::from_ref(&theirs)), None);
        let open: Vec<Text> = Vec::new();
        assert_eq!(by_header.let_past(&[theirs.clone(), open]), Some(&[][..]), "a route without a condition lets everybody in");
        let beta = vec![header("x-beta", "yes")];
        assert_eq!(by_header.let_past(&[theirs, beta.clone()]), Some(beta.as_slice()));
        assert!(by_header.let_past(&[vec![other("x-canary", "~ yes")]]).is_some(), "a pattern is not the value");
        assert!(by_header.let_past(&[vec![header("x-canary", "yes please")]]).is_some());
    }

    #[test]
    fn a_cookie_is_found_in_the_words_of_its_header() {
        let by_cookie = testers(Bears::Cookie);
        assert_eq!(by_cookie.let_past(&[vec![other("Cookie", "~ (^|; )X-Canary=yes(;|$)")]]), None);
        assert!(by_cookie.let_past(&[vec![other("Cookie", "~ X-Canary=no")]]).is_some());
        assert!(by_cookie.let_past(&[vec![other("Cookie", "is not ~ X-Canary=yes")]]).is_some());
        assert!(by_cookie.let_past(&[vec![header("x-other", "X-Canary=yes")]]).is_some());
    }
}
