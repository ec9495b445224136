//! The operator's SSH agent: keys that never leave it sign what the operator was shown.

mod wire;

use std::path::PathBuf;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use ssh_key::encoding::{Decode as _, Encode as _, Reader as _};
use ssh_key::{Algorithm, HashAlg, PublicKey, Signature, SshSig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use self::wire::Wrong;
use crate::config::sshkey;
use crate::model::operator::without_comment;
use crate::model::text::Text;
use crate::ports::Pending;
use crate::ports::signer::{SignError, Signed, Signer};

/// How long the agent may take.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// To list its keys.
    pub list: Duration,
    /// To sign, which may wait for a person's touch or confirmation.
    pub sign: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { list: Duration::from_secs(5), sign: Duration::from_mins(1) }
    }
}

/// An SSH agent behind a Unix socket.
#[derive(Debug, Clone)]
pub struct SshAgent {
    socket: Option<PathBuf>,
    deadlines: Deadlines,
}

impl SshAgent {
    /// The agent behind `socket`, the value of `SSH_AUTH_SOCK`; none when that is not set.
    pub fn new(socket: Option<PathBuf>, deadlines: Deadlines) -> Self {
        Self { socket, deadlines }
    }

    /// Connects and lists the keys that we can take signatures of.
    async fn list(&self) -> Result<(UnixStream, Vec<Held>), SignError> {
        const START: &str = "start one with `ssh-agent` and add your key with `ssh-add`, or log in with `ssh -A`";
        let Some(socket) = &self.socket else {
            return Err(SignError::NoAgent(Text::clean(&format!("SSH_AUTH_SOCK is not set; {START}"))));
        };
        let none = |why: &str| SignError::NoAgent(Text::clean(&format!("{}: {why}", socket.display())));
        let asking = async {
            let mut line = UnixStream::connect(socket).await.map_err(|error| none(&format!("{error}; {START}")))?;
            let answer = ask(&mut line, &wire::list()).await?;
            let keys = wire::keys(&answer).map_err(|wrong| self.told("list its keys", wrong))?;
            Ok((line, keys.into_iter().filter_map(Held::read).collect()))
        };
        let late = |_| none(&format!("no answer within {:?}; see whether `ssh-add -l` answers", self.deadlines.list));
        tokio::time::timeout(self.deadlines.list, asking).await.map_err(late)?
    }

    async fn signed(&self, keys: &[String], namespace: &str, bytes: &[u8]) -> Result<Signed, SignError> {
        let (mut line, held) = self.list().await?;
        let wished = keys.iter().find_map(|key| held.iter().find(|held| held.text == without_comment(key)));
        let Some(key) = wished else {
            let held = match held.len() {
                0 => "the agent holds no key, or is locked (`ssh-add -X`)".to_owned(),
                count => format!("the agent holds {count}, none of them yours by the configuration"),
            };
            return Err(SignError::NoKey(Text::clean(&format!("{held}; add yours with `ssh-add`"))));
        };
        let broken = |why: &dyn std::fmt::Display| SignError::Broken(Text::clean(&format!("{why}; see what `ssh-add -T` says of the key")));
        let data = SshSig::signed_data(namespace, HashAlg::Sha512, bytes).map_err(|error| broken(&error))?;
        let flags = if key.algorithm().is_rsa() { wire::RSA_SHA2_512 } else { 0 };
        let question = wire::sign(&key.blob, &data, flags);
        let late = |_| {
            let waited = format!("no answer within {:?}; touch the key or confirm in time, then do it again", self.deadlines.sign);
            SignError::Refused(Text::clean(&waited))
        };
        let answer = tokio::time::timeout(self.deadlines.sign, ask(&mut line, &question)).await.map_err(late)??;
        let signature = wire::signature(&answer).map_err(|wrong| self.told("sign", wrong))?;
        let signature = key.signature(signature).map_err(|why| broken(&why))?;
        let signature =
            SshSig::new(key.public.key_data().clone(), namespace, HashAlg::Sha512, signature).map_err(|error| broken(&error))?;
        key.public.verify(namespace, bytes, &signature).map_err(|_| broken(&"its signature does not fit what it was asked to sign"))?;
        let blob = signature.encode_vec().map_err(|error| broken(&error))?;
        Ok(Signed { key: key.text.clone(), blob })
    }

    /// An answer that is not the one that was asked for, as an error.
    fn told(&self, doing: &str, wrong: Wrong) -> SignError {
        match wrong {
            Wrong::Failure => {
                let said = format!("it would not {doing}; unlock it (`ssh-add -X`), confirm or touch the key, then do it again");
                SignError::Refused(Text::clean(&said))
            }
            Wrong::Garbled(why) => {
                let socket = self.socket.as_deref().unwrap_or(std::path::Path::new("")).display();
                SignError::Broken(Text::clean(&format!("{why}; see whether {socket} is an SSH agent")))
            }
        }
    }
}

impl Signer for SshAgent {
    fn keys(&self) -> Pending<'_, Result<Vec<String>, SignError>> {
        Box::pin(async move {
            let (_, held) = self.list().await?;
            Ok(held.into_iter().map(|key| key.text).collect())
        })
    }

    fn sign<'a>(&'a self, keys: &'a [String], namespace: &'a str, bytes: &'a [u8]) -> Pending<'a, Result<Signed, SignError>> {
        Box::pin(self.signed(keys, namespace, bytes))
    }
}

/// A key that the agent holds and whose signatures we take.
struct Held {
    /// `ssh-ed25519 AAAA..`.
    text: String,
    /// The bytes by which the agent knows it.
    blob: Vec<u8>,
    public: PublicKey,
}

impl Held {
    /// Reads the bytes of a public key; none when it is not one that we take.
    fn read(blob: &[u8]) -> Option<Self> {
        let public = sshkey::from_bytes(blob)?;
        let text = format!("{} {}", public.algorithm(), Base64::encode_string(blob));
        Some(Self { text, blob: blob.to_vec(), public })
    }

    fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// Reads the agent's signature, which must be of this key's type.
    fn signature(&self, bytes: &[u8]) -> Result<Signature, String> {
        let mut rest = bytes;
        let signature = Signature::decode(&mut rest).map_err(|_| "its signature cannot be read".to_owned())?;
        if !rest.is_finished() {
            return Err("its signature has something behind its end".to_owned());
        }
        let right = if self.algorithm().is_rsa() { Algorithm::Rsa { hash: Some(HashAlg::Sha512) } } else { self.algorithm() };
        if signature.algorithm() == right {
            Ok(signature)
        } else {
            Err(format!("it signed by {} in place of {right}", signature.algorithm()))
        }
    }
}

/// Sends a question and reads the answer without its length.
async fn ask(line: &mut UnixStream, question: &[u8]) -> Result<Vec<u8>, SignError> {
    let lost = |error: std::io::Error| {
        SignError::NoAgent(Text::clean(&format!("it closed the line before it answered ({error}); see whether `ssh-add -l` answers")))
    };
    line.write_all(question).await.map_err(lost)?;
    let length = usize::try_from(line.read_u32().await.map_err(lost)?).unwrap_or(usize::MAX);
    if length > wire::LONGEST {
        let long = format!("it announced an answer of {length} bytes, over {}; see whether it is an SSH agent", wire::LONGEST);
        return Err(SignError::Broken(Text::clean(&long)));
    }
    let mut answer = vec![0; length];
    line.read_exact(&mut answer).await.map_err(lost)?;
    Ok(answer)
}
