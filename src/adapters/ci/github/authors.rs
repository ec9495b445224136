//! Who made a commit: account, address, and the co-authors that its message names.

use std::collections::BTreeSet;

use super::wire;
use crate::model::origin::Identity;
use crate::model::text::Text;

/// The account in whose name GitHub itself commits what somebody merged or edited in its pages; the author is the person.
const ITSELF: &str = "web-flow";
/// The trailer that names a co-author.
const CO_AUTHOR: &str = "co-authored-by:";

/// Adds everybody who made a commit.
///
/// # Errors
/// Why not everybody can be told.
pub fn add(commit: &wire::Commit, all: &mut BTreeSet<Identity>) -> Result<(), String> {
    let short = commit.sha.get(..8).unwrap_or(&commit.sha);
    // GitHub knows no account for an address that nobody has confirmed there; the address names its owner all the same.
    let of = |user: Option<&wire::User>, git: Option<&wire::GitUser>, who: &str| {
        let login = user.and_then(|user| user.login.as_deref()).filter(|login| !login.is_empty());
        let email = git.and_then(|git| git.email.as_deref()).map(str::trim).filter(|email| is_address(email));
        if login.is_none() && email.is_none() {
            return Err(format!("the {who} of {short} has neither an account that GitHub knows nor an address"));
        }
        Ok::<Identity, String>(identity(login, email))
    };
    all.insert(of(commit.author.as_ref(), commit.commit.author.as_ref(), "author")?);
    let committer = of(commit.committer.as_ref(), commit.commit.committer.as_ref(), "committer")?;
    if committer.login.as_ref().is_none_or(|login| login.as_str() != ITSELF) {
        all.insert(committer);
    }
    for line in commit.commit.message.lines() {
        let line = line.trim();
        let named =
            line.get(..CO_AUTHOR.len()).filter(|start| start.eq_ignore_ascii_case(CO_AUTHOR)).and_then(|_| line.get(CO_AUTHOR.len()..));
        if let Some(named) = named {
            let email = address(named).ok_or_else(|| format!("a co-author of {short} has no address"))?;
            all.insert(identity(None, Some(email)));
        }
    }
    Ok(())
}

/// The address in `Name <address>`.
fn address(named: &str) -> Option<&str> {
    let (_, rest) = named.rsplit_once('<')?;
    let (address, _) = rest.split_once('>')?;
    let address = address.trim();
    is_address(address).then_some(address)
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()) && !text.contains(char::is_whitespace)
}

/// An identity by account and address; an address that GitHub gives instead of a private one tells the account too.
pub fn identity(login: Option<&str>, email: Option<&str>) -> Identity {
    let email = email.map(str::to_lowercase).filter(|email| !email.is_empty());
    let by_address = email.as_deref().and_then(|email| {
        let (name, host) = email.split_once('@')?;
        let login = name.split_once('+').map_or(name, |(_, login)| login);
        host.starts_with("users.noreply.").then(|| login.to_owned())
    });
    let login = login.map(str::to_lowercase).or(by_address);
    Identity { login: login.map(|login| Text::clean_within(&login, 200)), email: email.map(|email| Text::clean_within(&email, 320)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// A `?` before a name: no account is known for it, only an address.
    fn commit(author: Option<&'static str>, committer: Option<&'static str>, message: &str) -> wire::Commit {
        let user = |login: Option<&str>| login.map(|login| json!({"login": login}));
        let git = |login: Option<&str>| json!({"name": "x", "email": login.map(|login| format!("{}@shop.example", login.trim_start_matches('?')))});
        let login = |who: Option<&'static str>| who.filter(|who| !who.starts_with('?'));
        let value = json!({"sha": "abcdef0123456789", "author": user(login(author)), "committer": user(login(committer)),
            "commit": {"author": git(author), "committer": git(committer), "message": message}});
        serde_json::from_value(value).unwrap()
    }

    fn logins(commit: &wire::Commit) -> Result<Vec<String>, String> {
        let mut all = BTreeSet::new();
        add(commit, &mut all)?;
        let name = |one: &Identity| one.login.as_ref().or(one.email.as_ref()).unwrap().as_str().to_owned();
        Ok(all.iter().map(name).collect())
    }

    #[test]
    fn author_committer_and_every_co_author_count() {
        let message = "Change\n\nCo-authored-by: Eve <42+Eve-GH@users.noreply.github.com>\nCO-AUTHORED-BY: <Bob@Shop.example>\r\n";
        assert_eq!(logins(&commit(Some("Ana"), Some("cy"), message)).unwrap(), ["bob@shop.example", "ana", "cy", "eve-gh"]);
        assert_eq!(logins(&commit(Some("ana"), Some("web-flow"), "x")).unwrap(), ["ana"], "GitHub's own name is no person");
    }

    #[test]
    fn who_cannot_be_told_is_not_left_out() {
        let nobody = |who| format!("the {who} of abcdef01 has neither an account that GitHub knows nor an address");
        assert_eq!(logins(&commit(None, Some("cy"), "x")).unwrap_err(), nobody("author"));
        assert_eq!(logins(&commit(Some("ana"), None, "x")).unwrap_err(), nobody("committer"));
        // An address is enough to be told by.
        assert_eq!(logins(&commit(Some("?ana"), Some("cy"), "x")).unwrap(), ["ana@shop.example", "cy"]);
        for broken in ["Co-authored-by: Eve", "co-authored-by: Eve <eve>", "Co-authored-by: <a b@c>"] {
            assert_eq!(logins(&commit(Some("ana"), Some("cy"), broken)).unwrap_err(), "a co-author of abcdef01 has no address", "{broken}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_on_any_message(message in any::<String>()) {
            let _ = logins(&commit(Some("ana"), Some("cy"), &message));
            let _ = logins(&commit(Some("ana"), Some("cy"), &format!("Co-authored-by: {message}")));
        }
    }
}
