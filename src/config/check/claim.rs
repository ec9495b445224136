//! What belongs to one person only: one person behind several identities is one, and no identity is two persons' (P9).

use std::collections::BTreeMap;

use super::super::problem::{At, Findings};

/// What the persons read so far claim for themselves.
#[derive(Default)]
pub(super) struct Claims {
    keys: BTreeMap<String, At>,
    emails: BTreeMap<String, Claim>,
    /// By login or bot in lower case; the kind of backend, none for a bot, whose name is taken everywhere.
    accounts: BTreeMap<String, Vec<(Option<String>, Claim)>>,
    users: BTreeMap<String, Vec<(At, bool)>>,
}

#[derive(Clone, Copy)]
struct Claim {
    at: At,
    person: usize,
}

impl Claims {
    /// A key, without its comment. Twice is one too often for the same person too.
    pub(super) fn key(&mut self, at: At, key: &str, found: &mut Findings) {
        match self.keys.get(key) {
            Some(first) => refuse(at, *first, "the same key stands twice", found),
            None => drop(self.keys.insert(key.to_owned(), at)),
        }
    }

    /// An e-mail address; upper and lower case are the same mailbox.
    pub(super) fn email(&mut self, person: usize, at: At, email: &str, found: &mut Findings) {
        let first = *self.emails.entry(email.to_lowercase()).or_insert(Claim { at, person });
        if first.person != person {
            refuse(at, first.at, &format!("`{email}` is the e-mail of two people"), found);
        }
    }

    /// A login at a kind of backend, or a bot, whose kind is not said. Backends hold names in either case for the same.
    pub(super) fn account(&mut self, person: usize, at: At, kind: Option<&str>, name: &str, found: &mut Findings) {
        let known = self.accounts.entry(name.to_lowercase()).or_default();
        let is_same = |other: &Option<String>| other.is_none() || kind.is_none() || other.as_deref() == kind;
        if let Some((_, first)) = known.iter().find(|(other, claim)| claim.person != person && is_same(other)) {
            refuse(at, first.at, &format!("`{name}` is an account of two people"), found);
        }
        known.push((kind.map(str::to_owned), Claim { at, person }));
    }

    /// A system user, which several may share.
    pub(super) fn user(&mut self, at: At, user: &str, has_key: bool) {
        self.users.entry(user.to_owned()).or_default().push((at, has_key));
    }

    /// Warns where people share a system user and nothing tells them apart.
    pub(super) fn warn_of_shared_users(&self, found: &mut Findings) {
        for (user, people) in self.users.iter().filter(|(_, people)| people.len() > 1) {
            if let Some((at, _)) = people.iter().find(|(_, has_key)| !has_key) {
                let what = format!("`{user}` is the system user of {} people, and this one has no key to be known by", people.len());
                found.warning(*at, &what, "`keys` for each who shares it");
            }
        }
    }
}

fn refuse(at: At, first: At, what: &str, found: &mut Findings) {
    let line = found.place(first).line;
    found.problem(at, &format!("{what}, the first on line {line}"), "each only once");
}
