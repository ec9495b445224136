//! The commits of the server's repository: named by their content as git's are, with tags that may be forced, and the pull requests that
//! brought them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Somebody as a commit names him: `login <email>`, either of them empty.
#[derive(Debug, Clone, Copy)]
pub struct Who(pub &'static str, pub &'static str);

#[derive(Debug, Clone)]
struct Commit {
    number: usize,
    parents: Vec<String>,
    author: Who,
    committer: Who,
    message: String,
}

#[derive(Debug, Clone)]
struct Pull {
    number: u64,
    by: &'static str,
    merged: String,
    commits: Vec<String>,
}

/// A repository.
#[derive(Debug, Default)]
pub struct History {
    commits: BTreeMap<String, Commit>,
    names: BTreeMap<String, String>,
    pulls: Vec<Pull>,
}

impl History {
    /// A commit upon others, each by its name or a name for it; its name covers everything that it says.
    pub fn commit(&mut self, parents: &[&str], author: Who, committer: Who, message: &str) -> String {
        let said = format!("{parents:?}\n{author:?}\n{committer:?}\n{message}");
        let name: String = Sha256::digest(said).iter().take(20).fold(String::new(), |name, byte| format!("{name}{byte:02x}"));
        let parents = parents.iter().map(|parent| self.names.get(*parent).cloned().unwrap_or_else(|| (*parent).to_owned())).collect();
        let commit = Commit { number: self.commits.len(), parents, author, committer, message: message.to_owned() };
        self.commits.insert(name.clone(), commit);
        name
    }

    /// Lets a tag or branch name a commit, by force where it names another one.
    pub fn name(&mut self, name: &str, commit: &str) {
        self.names.insert(name.to_owned(), commit.to_owned());
    }

    /// A merged pull request: who opened it, what was merged as what.
    pub fn pull(&mut self, number: u64, by: &'static str, commits: &[&str], merged: &str) {
        let commits = commits.iter().map(|commit| (*commit).to_owned()).collect();
        self.pulls.push(Pull { number, by, merged: merged.to_owned(), commits });
    }

    fn resolve(&self, name: &str) -> Option<String> {
        let name = self.names.get(name).map_or(name, String::as_str);
        self.commits.contains_key(name).then(|| name.to_owned())
    }

    fn behind(&self, from: &str) -> BTreeSet<String> {
        let (mut all, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(name) = next.pop() {
            if let Some(commit) = self.commits.get(&name).filter(|_| !all.contains(&name)) {
                next.extend(commit.parents.clone());
            }
            all.insert(name);
        }
        all.retain(|name| self.commits.contains_key(name));
        all
    }

    /// What `/compare/{base}...{head}` says, one page of it; none when one of them is not there.
    pub fn compare(&self, spec: &str, page: usize, size: usize) -> Option<Value> {
        let (base, head) = spec.split_once("...")?;
        let (base, head) = (self.resolve(base)?, self.resolve(head)?);
        let (under, over) = (self.behind(&base), self.behind(&head));
        let status = match (over.contains(&base), under.contains(&head)) {
            (true, true) => "identical",
            (true, false) => "ahead",
            (false, true) => "behind",
            (false, false) => "diverged",
        };
        let newest = |all: &mut dyn Iterator<Item = &String>| all.max_by_key(|name| self.commits[*name].number).cloned();
        let shared = newest(&mut under.intersection(&over)).unwrap_or_else(|| base.clone());
        let mut more: Vec<&String> = over.difference(&under).collect();
        more.sort_by_key(|name| self.commits[*name].number);
        let shown: Vec<Value> = more.iter().skip((page - 1) * size).take(size).map(|name| self.told(name)).collect();
        Some(json!({"status": status, "total_commits": more.len(), "commits": shown,
            "base_commit": {"sha": base}, "merge_base_commit": {"sha": shared}}))
    }

    /// The pull requests that brought a commit.
    pub fn pulls_of(&self, commit: &str) -> Option<Value> {
        let commit = self.resolve(commit)?;
        let of = self.pulls.iter().filter(|pull| pull.merged == commit || pull.commits.contains(&commit));
        let told = of.map(|pull| {
            json!({"number": pull.number, "merged_at": "2026-11-23T10:00:00Z", "merge_commit_sha": pull.merged,
                "user": {"login": pull.by}, "head": {"sha": pull.commits.last()}})
        });
        Some(told.collect())
    }

    /// The commits of a pull request.
    pub fn of_pull(&self, number: u64) -> Option<Value> {
        let pull = self.pulls.iter().find(|pull| pull.number == number)?;
        Some(pull.commits.iter().map(|name| self.told(name)).collect())
    }

    fn told(&self, name: &str) -> Value {
        let commit = &self.commits[name];
        let user = |who: Who| if who.0.is_empty() { Value::Null } else { json!({"login": who.0}) };
        let git = |who: Who| json!({"name": who.0, "email": who.1, "date": "2026-11-23T10:00:00Z"});
        json!({"sha": name, "author": user(commit.author), "committer": user(commit.committer),
            "commit": {"author": git(commit.author), "committer": git(commit.committer), "message": commit.message}})
    }
}
