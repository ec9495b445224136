//! Who is at the keys: the system user, and the keys that the operator's SSH agent holds and proves.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use sha2::{Digest as _, Sha256};

use crate::adapters::signer::{Deadlines, SshAgent};
use crate::config::surroundings::Surroundings;
use crate::model::name::PersonName;
use crate::model::operator::{Actor, By, Person, Presented, Recognised};
use crate::model::text::Text;
use crate::ports::signer::{SignError, Signer};

/// The namespace in which a key signs nothing but that it is there.
const PRESENCE: &str = "gonogo-presence@v1";

/// Whether a key must show that it can sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Before deeds, approvals and everything else that bears a person's name.
    Asked,
    /// Before looking, for which nobody should have to touch a key.
    Waived,
}

/// Who is at the keys, as far as was found when the process began.
pub struct Found {
    /// The name of the system user who runs this process.
    pub os_user: String,
    /// Who, and by what.
    pub recognised: Recognised,
    /// The public keys that the agent lists, or why it lists none; empty too where it was not asked.
    pub keys: Result<Vec<String>, SignError>,
    proven: Option<String>,
    only_looks: bool,
}

impl Found {
    /// Who it is when other people are configured. A key that has not proven itself yet says nobody.
    pub fn again(&self, people: &[Person]) -> Actor {
        self.presented().actor(people)
    }

    /// What was shown, for the room to look at it again.
    pub fn presented(&self) -> Presented {
        Presented {
            os_user: self.os_user.clone(),
            keys: self.keys.clone().unwrap_or_default(),
            proven: self.proven.clone(),
            only_looks: self.only_looks,
        }
    }
}

/// The system users each of whom alone, beside root, could have written one of these files; a file that others may write names nobody.
pub fn writers(files: &[PathBuf]) -> Vec<String> {
    let passwords = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut writers: Vec<String> = files
        .iter()
        .filter_map(|file| std::fs::metadata(file).ok())
        .filter(|data| data.mode() & 0o022 == 0)
        .filter_map(|data| named(&passwords, data.uid()))
        .collect();
    writers.sort();
    writers.dedup();
    writers
}

/// The name of a user in the password file.
fn named(passwords: &str, id: u32) -> Option<String> {
    passwords.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(id)).then(|| name.to_owned())
    })
}

/// The name of the system user who runs this process.
pub fn os_user(around: &Surroundings) -> String {
    let variable = around.variable("USER").or_else(|| around.variable("LOGNAME"));
    let id = rustix::process::getuid().as_raw();
    // The password file decides: a variable is only what somebody set.
    let file = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    named(&file, id).or_else(|| variable.map(str::to_owned)).unwrap_or_else(|| format!("uid-{id}"))
}

/// The operator's SSH agent, by `SSH_AUTH_SOCK`.
pub fn signer(around: &Surroundings) -> Arc<dyn Signer> {
    Arc::new(SshAgent::new(around.variable("SSH_AUTH_SOCK").map(PathBuf::from), Deadlines::default()))
}

/// What is said while somebody is waited for.
pub type Tell<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Whether the agent is asked who is at the keys: where a configured person has a key.
pub fn asks_agent(people: &[Person]) -> bool {
    people.iter().any(|person| !person.keys.is_empty())
}

/// Finds who is at the keys. The agent is asked only where a configured person has a key.
pub async fn recognise(around: &Surroundings, people: &[Person], proof: Proof, tell: Tell<'_>) -> Found {
    if !asks_agent(people) {
        let os_user = os_user(around);
        let recognised = Actor::recognise(&os_user, people, &[]);
        return Found { os_user, recognised, keys: Ok(Vec::new()), proven: None, only_looks: proof == Proof::Waived };
    }
    ask(around, people, proof, tell).await
}

/// Asks the agent in any case.
pub async fn ask(around: &Surroundings, people: &[Person], proof: Proof, tell: Tell<'_>) -> Found {
    let (signer, os_user) = (signer(around), os_user(around));
    let keys = signer.keys().await;
    let mut recognised = Actor::recognise(&os_user, people, keys.as_deref().unwrap_or_default());
    let mut proven = recognised.to_prove(&os_user, people).filter(|_| proof == Proof::Asked).map(str::to_owned);
    if let Some(key) = &proven
        && let Err(why) = prove(signer.as_ref(), key, tell).await
    {
        recognised = Recognised::unproven(&os_user, key, why);
        tell(&format!("gonogo: {}", words(&recognised, &os_user)));
        proven = None;
    }
    Found { os_user, recognised, keys, proven, only_looks: proof == Proof::Waived }
}

/// Has the key sign what nobody could have had it sign before.
async fn prove(signer: &dyn Signer, key: &str, tell: Tell<'_>) -> Result<(), Text> {
    let mut challenge = [0; 32];
    getrandom::fill(&mut challenge).map_err(|error| Text::clean(&format!("no random numbers: {error}")))?;
    if key.starts_with("sk-") {
        tell(&format!("gonogo: touch the key {} to show that it is you", fingerprint(key)));
    }
    let signed = signer.sign(&[key.to_owned()], PRESENCE, &challenge).await;
    signed.map(|_| ()).map_err(|error| Text::clean(&error.to_string()))
}

/// The fingerprint of a public key as `ssh-add -l` prints it.
pub fn fingerprint(key: &str) -> String {
    let blob = key.split(' ').nth(1).and_then(|blob| Base64::decode_vec(blob).ok()).unwrap_or_default();
    format!("SHA256:{}", Base64Unpadded::encode_string(&Sha256::digest(blob)))
}

/// By what somebody was recognised, or why nobody was and what to do.
pub fn words(recognised: &Recognised, os_user: &str) -> String {
    let list = |names: &[PersonName]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    match &recognised.by {
        By::AgentKey(key) => format!("by the agent's key {}", fingerprint(key)),
        By::SystemUser => format!("system user {os_user}"),
        By::NobodyConfigured => "unverified: nobody is configured, so this system user has every role".to_owned(),
        By::SeveralKeys(names) => {
            format!("your agent holds keys of {}, so it may be any of them; remove the others' with `ssh-add -d`", list(names))
        }
        By::SharedUser(names) => {
            format!(
                "{os_user} is the account of {}, so only a key tells who it is; add yours with `ssh-add`, or log in with `ssh -A`",
                list(names)
            )
        }
        By::NobodysUser => {
            format!("people are configured and none has os_user = \"{os_user}\" or a key of your agent, so this user may only look")
        }
        By::Unproven { key, why } => {
            format!("your agent lists the key {} but did not sign with it, so this user may only look: {why}", fingerprint(key))
        }
    }
}
