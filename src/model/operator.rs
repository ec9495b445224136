//! People, their roles, and who is at the keys.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::{EnvironmentName, PersonName, PlanId, RoleName, ServiceName};
use super::text::Text;

/// The types of public keys whose signatures the ledger can bear.
pub const KEY_TYPES: &[&str] = &[
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
];

/// A public key in the OpenSSH form without its comment, which does not make it another key.
pub fn without_comment(key: &str) -> &str {
    let end = key.match_indices(' ').nth(1).map_or(key.len(), |(end, _)| end);
    key.get(..end).unwrap_or(key)
}

/// A role that a person holds, everywhere or only in some environments and services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: RoleName,
    /// Where it holds; empty means everywhere.
    pub environments: Vec<EnvironmentName>,
    /// For which services; empty means all.
    pub services: Vec<ServiceName>,
}

/// A configured person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name by which the room calls the person.
    pub name: PersonName,
    /// The system user of the person on the machine that the room runs on; several may share one.
    pub os_user: Option<String>,
    /// Public SSH keys in the OpenSSH form.
    pub keys: Vec<String>,
    /// E-mail addresses that commits bear.
    pub emails: Vec<String>,
    /// Logins at backends, as `(kind, login)`.
    pub logins: Vec<(String, String)>,
    /// Accounts of programs that act for the person.
    pub bots: Vec<String>,
    /// Teams.
    pub teams: Vec<String>,
    /// Roles.
    pub roles: Vec<Grant>,
}

impl Person {
    /// Whether one of the person's keys is this one, whatever their comments.
    pub fn has_key(&self, key: &str) -> bool {
        self.keys.iter().any(|own| without_comment(own) == without_comment(key))
    }

    /// Whether an account at any backend, a bot or an e-mail of the person has this name, in either case.
    pub fn is_known_as(&self, name: &str) -> bool {
        let same = |own: &String| own.to_lowercase() == name.to_lowercase();
        let bot = |own: &String| same(own) || format!("{}[bot]", own.to_lowercase()) == name.to_lowercase();
        self.emails.iter().any(same) || self.logins.iter().any(|(_, own)| same(own)) || self.bots.iter().any(bot)
    }

    /// Whether an account of a backend of this kind is the person's: a login there, a bot, or an e-mail address in its place. Backends
    /// tell no upper from lower case in them.
    pub fn has_account(&self, kind: &str, account: &str) -> bool {
        let same = |own: &str| !own.is_empty() && own.eq_ignore_ascii_case(account);
        let bot = |own: &String| same(own) || account.strip_suffix("[bot]").is_some_and(|name| name.eq_ignore_ascii_case(own));
        let login = |(of, own): &(String, String)| of == kind && same(own);
        self.logins.iter().any(login) || self.bots.iter().any(bot) || self.emails.iter().any(|own| same(own) || hides(own, account))
    }
}

/// Whether an address is the one by which GitHub hides an account's own: `login@users.noreply.github.com`, or with its number and `+`.
fn hides(address: &str, account: &str) -> bool {
    let Some((name, host)) = address.split_once('@') else { return false };
    let login = name.split_once('+').map_or(name, |(_, login)| login);
    host.eq_ignore_ascii_case("users.noreply.github.com") && login.eq_ignore_ascii_case(account)
}

/// Who is at the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// A configured person, recognised by an agent's key or the system user.
    Person(PersonName),
    /// Nobody is configured: the system user has every role, and the screen says so.
    Unverified(String),
    /// People are configured and we cannot say that it is one of them: no role at all.
    Stranger(String),
    /// Nobody: a rule of a rollout, which goes on in the name of whoever started it and may do no more than that person may now.
    Rule {
        /// The plan that started the rollout.
        plan: PlanId,
        /// Who started it.
        of: Box<Self>,
    },
}

/// By what the room knows who is at the keys, or why it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// The operator's agent holds this key, and none of anybody else.
    AgentKey(String),
    /// The system user is this person's alone, and the agent holds nobody's key.
    SystemUser,
    /// Nobody is configured.
    NobodyConfigured,
    /// The agent holds keys of several persons.
    SeveralKeys(Vec<PersonName>),
    /// The system user is shared, and the agent holds nobody's key.
    SharedUser(Vec<PersonName>),
    /// The system user is nobody's, and the agent holds nobody's key.
    NobodysUser,
    /// The agent lists this key, but would not sign with it, so that it may be anybody who knows the public key.
    Unproven {
        /// The key.
        key: String,
        /// What came instead of a signature.
        why: Text,
    },
}

/// Who is at the keys, and how we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// Who.
    pub actor: Actor,
    /// By what.
    pub by: By,
}

/// What the process was shown by whoever is at its keys: by it a person is found again among other people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presented {
    /// The name of the system user who runs the process.
    pub os_user: String,
    /// The public keys that the agent lists.
    pub keys: Vec<String>,
    /// The key that proved itself by signing.
    pub proven: Option<String>,
    /// Whether no key has to prove itself: nothing is done in anybody's name.
    pub only_looks: bool,
}

impl Presented {
    /// Who it is among these people. A key that has to prove itself and has not says nobody.
    pub fn actor(&self, people: &[Person]) -> Actor {
        let recognised = Actor::recognise(&self.os_user, people, &self.keys);
        match recognised.to_prove(&self.os_user, people) {
            Some(key) if !self.only_looks && self.proven.as_deref() != Some(key) => Actor::Stranger(self.os_user.clone()),
            Some(_) | None => recognised.actor,
        }
    }
}

impl Recognised {
    /// The key that must sign before anything is done in this name: an agent can list every public key that it has read somewhere.
    /// None where the system user alone says the same, or where it is nobody.
    pub fn to_prove(&self, os_user: &str, people: &[Person]) -> Option<&str> {
        match &self.by {
            By::AgentKey(key) if Actor::recognise(os_user, people, &[]).actor != self.actor => Some(key),
            By::AgentKey(_)
            | By::SystemUser
            | By::NobodyConfigured
            | By::SeveralKeys(_)
            | By::SharedUser(_)
            | By::NobodysUser
            | By::Unproven { .. } => None,
        }
    }

    /// Nobody, because the key did not sign.
    pub fn unproven(os_user: &str, key: &str, why: Text) -> Self {
        Self { actor: Actor::Stranger(os_user.to_owned()), by: By::Unproven { key: key.to_owned(), why } }
    }
}

impl Actor {
    /// By whose roles it is judged: for a rule of a rollout, whoever started it.
    pub fn by_roles(&self) -> &Self {
        match self {
            Self::Rule { of, .. } => of.by_roles(),
            Self::Person(_) | Self::Unverified(_) | Self::Stranger(_) => self,
        }
    }

    /// Finds who is at the keys among the configured people, by the system user and the public keys of the operator's agent (empty
    /// where there is no agent).
    ///
    /// A key beats the account, which may be a shared one. Keys of several persons, and an account of several persons, say nobody.
    pub fn recognise(os_user: &str, people: &[Person], keys: &[String]) -> Recognised {
        let stranger = |by| Recognised { actor: Self::Stranger(os_user.to_owned()), by };
        let person = |person: &Person, by| Recognised { actor: Self::Person(person.name.clone()), by };
        let names = |people: &[&Person]| people.iter().map(|person| person.name.clone()).collect();
        if people.is_empty() {
            return Recognised { actor: Self::Unverified(os_user.to_owned()), by: By::NobodyConfigured };
        }
        let of_person = |one: &Person| keys.iter().find(|key| one.has_key(key));
        let holders: Vec<&Person> = people.iter().filter(|one| of_person(one).is_some()).collect();
        match holders.as_slice() {
            [] => {}
            [one] => return person(one, By::AgentKey(of_person(one).cloned().unwrap_or_default())),
            several => return stranger(By::SeveralKeys(names(several))),
        }
        let users: Vec<&Person> = people.iter().filter(|one| one.os_user.as_deref() == Some(os_user)).collect();
        match users.as_slice() {
            [] => stranger(By::NobodysUser),
            [one] => person(one, By::SystemUser),
            several => stranger(By::SharedUser(names(several))),
        }
    }
}

/// The requester as ledger and JSON write it: `ana`, or `os:NAME` where no person is known.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.pad(name.as_str()),
            Self::Unverified(user) | Self::Stranger(user) => f.pad(&format!("os:{user}")),
            Self::Rule { plan, of } => f.pad(&format!("rule of plan {}, {of}", plan.short())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: &str = "ssh-ed25519 AAAAana";
    const CY: &str = "ssh-ed25519 AAAAcy";
    const NOBODY: &str = "ssh-rsa AAAAother";

    fn person(name: &str, os_user: Option<&str>, keys: &[&str]) -> Person {
        Person {
            name: name.parse().unwrap(),
            os_user: os_user.map(str::to_owned),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            emails: Vec::new(),
            logins: Vec::new(),
            bots: Vec::new(),
            teams: Vec::new(),
            roles: Vec::new(),
        }
    }

    /// Ana and Cy share the account `deploy`, Dan has one of his own and no key.
    fn people() -> Vec<Person> {
        vec![
            person("ana", Some("deploy"), &["ssh-ed25519 AAAAana ana@laptop", "ssh-rsa AAAAsecond"]),
            person("cy", Some("deploy"), &[CY]),
            person("dan", Some("dan"), &[]),
        ]
    }

    fn recognised(os_user: &str, keys: &[&str]) -> (String, By) {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let Recognised { actor, by } = Actor::recognise(os_user, &people(), &keys);
        assert_eq!(matches!(actor, Actor::Person(_)), matches!(by, By::AgentKey(_) | By::SystemUser), "{actor:?} {by:?}");
        (actor.to_string(), by)
    }

    fn names(names: &[&str]) -> Vec<PersonName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_key_says_who_it_is_behind_a_shared_account() {
        assert_eq!(recognised("deploy", &[ANA]), ("ana".to_owned(), By::AgentKey(ANA.to_owned())));
        assert_eq!(recognised("deploy", &[NOBODY, CY]), ("cy".to_owned(), By::AgentKey(CY.to_owned())));
    }

    #[test]
    fn a_key_beats_the_account_of_somebody_else() {
        assert_eq!(recognised("dan", &[ANA]), ("ana".to_owned(), By::AgentKey(ANA.to_owned())));
        assert_eq!(recognised("root", &[ANA]).0, "ana");
    }

    #[test]
    fn several_keys_of_one_person_are_that_person() {
        assert_eq!(recognised("deploy", &["ssh-rsa AAAAsecond", ANA]).0, "ana");
    }

    #[test]
    fn keys_of_several_persons_are_nobody_even_where_the_account_is_one_persons() {
        assert_eq!(recognised("deploy", &[CY, ANA]), ("os:deploy".to_owned(), By::SeveralKeys(names(&["ana", "cy"]))));
        assert_eq!(recognised("dan", &[CY, ANA]).0, "os:dan");
    }

    #[test]
    fn without_a_known_key_an_account_of_one_person_is_that_person() {
        assert_eq!(recognised("dan", &[]), ("dan".to_owned(), By::SystemUser));
        assert_eq!(recognised("dan", &[NOBODY]), ("dan".to_owned(), By::SystemUser));
    }

    #[test]
    fn without_a_known_key_a_shared_account_is_nobody() {
        assert_eq!(recognised("deploy", &[]), ("os:deploy".to_owned(), By::SharedUser(names(&["ana", "cy"]))));
        assert_eq!(recognised("deploy", &[NOBODY]).0, "os:deploy");
    }

    #[test]
    fn an_account_of_nobody_is_a_stranger() {
        assert_eq!(recognised("root", &[NOBODY]), ("os:root".to_owned(), By::NobodysUser));
    }

    #[test]
    fn where_nobody_is_configured_no_key_makes_a_person() {
        let Recognised { actor, by } = Actor::recognise("root", &[], &[ANA.to_owned()]);
        assert_eq!((actor, by), (Actor::Unverified("root".to_owned()), By::NobodyConfigured));
    }

    #[test]
    fn a_key_has_to_prove_itself_unless_the_account_says_the_same() {
        let to_prove = |os_user: &str, keys: &[&str]| {
            let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            Actor::recognise(os_user, &people(), &keys).to_prove(os_user, &people()).map(str::to_owned)
        };
        assert_eq!(to_prove("deploy", &[ANA]).as_deref(), Some(ANA), "a shared account");
        assert_eq!(to_prove("dan", &[CY]).as_deref(), Some(CY), "the account of somebody else");
        assert_eq!(to_prove("root", &[NOBODY, CY]).as_deref(), Some(CY), "an account of nobody");
        assert_eq!((to_prove("dan", &[]), to_prove("deploy", &[]), to_prove("dan", &[ANA, CY])), (None, None, None));
        let mut alone = people();
        alone.retain(|one| one.name.as_str() != "cy");
        assert_eq!(Actor::recognise("deploy", &alone, &[ANA.to_owned()]).to_prove("deploy", &alone), None, "both say ana");
    }

    #[test]
    fn a_comment_makes_no_other_key() {
        assert_eq!(without_comment("ssh-ed25519 AAAA ana at home"), "ssh-ed25519 AAAA");
        assert_eq!(without_comment("ssh-ed25519 AAAA"), "ssh-ed25519 AAAA");
        assert!(people().first().is_some_and(|ana| ana.has_key("ssh-ed25519 AAAAana other words") && !ana.has_key("ssh-ed25519 AAAAan")));
    }

    #[test]
    fn one_persons_accounts_are_told_by_login_bot_and_address_whatever_their_case() {
        let ana = Person {
            emails: vec!["ana@shop.example".to_owned(), "7+ana-home@users.noreply.github.com".to_owned()],
            logins: vec![("github".to_owned(), "ana-gh".to_owned())],
            bots: vec!["ana-bot".to_owned()],
            ..people().remove(0)
        };
        for own in ["ana-gh", "Ana-GH", "ana-bot", "ana-bot[bot]", "ANA@shop.example", "ana-home"] {
            assert!(ana.has_account("github", own), "{own}");
        }
        for other in ["ana", "", "cy-gh", "ana-bot[both]", "7+ana-home"] {
            assert!(!ana.has_account("github", other), "{other}");
        }
        assert!(!ana.has_account("gitlab", "ana-gh"), "a login of another kind");
    }
}
