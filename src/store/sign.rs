//! The process key: one Ed25519 key that signs entries as SSHSIG and checkpoints as a C2SP signed note.

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256};
use signature::{Signer as _, Verifier as _};
use ssh_key::encoding::{Decode as _, Encode as _};
use ssh_key::private::Ed25519Keypair;
use ssh_key::public::{Ed25519PublicKey, KeyData};
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, Signature, SigningKey, SshSig};

use super::fault::broken;
use super::tree::Hash;
use crate::config::sshkey;
use crate::model::deed::{APPROVAL, DEED};
use crate::model::name;
use crate::model::operator::Person;
use crate::ports::ledger::LedgerError;

/// The namespace of checkpoints.
pub const CHECKPOINT: &str = "gonogo-checkpoint@v1";

/// The only version that there is.
const SSHSIG_VERSION: u32 = 1;

/// The key of this installation. It has no printable form.
pub struct ProcessKey {
    key: PrivateKey,
    public: [u8; 32],
    installation: String,
}

impl ProcessKey {
    /// Makes the key of a seed; the installation is named after the public key unless a name is given.
    pub fn from_seed(seed: &[u8; 32], installation: Option<&str>) -> Result<Self, LedgerError> {
        Self::from_private(PrivateKey::from(Ed25519Keypair::from_seed(seed)), installation)
    }

    /// Reads an OpenSSH private key; the installation is its comment's last word.
    pub fn from_openssh(pem: &str) -> Result<Self, LedgerError> {
        let key = PrivateKey::from_openssh(pem).map_err(|error| broken(format!("process.key: {error}; restore it from a copy")))?;
        let installation = key.comment().as_str_lossy().split_whitespace().last().map(str::to_owned);
        Self::from_private(key, installation.as_deref())
    }

    fn from_private(mut key: PrivateKey, installation: Option<&str>) -> Result<Self, LedgerError> {
        let public = key.public_key().key_data().ed25519().map(|key| key.0);
        let public = public.ok_or_else(|| broken("process.key is no Ed25519 key; restore it from a copy"))?;
        let installation = installation.map_or_else(|| hexadecimal(&Sha256::digest(public), 8), str::to_owned);
        name::check(&installation).map_err(|error| broken(format!("the installation's name: {error}")))?;
        key.set_comment(format!("gonogo {installation}"));
        Ok(Self { key, public, installation })
    }

    /// The bytes of `process.key`.
    pub fn to_openssh(&self) -> Result<Vec<u8>, LedgerError> {
        Ok(self.key.to_openssh(LineEnding::LF).map_err(|error| broken(format!("process.key: {error}")))?.as_bytes().to_vec())
    }

    /// The installation's name.
    pub fn installation(&self) -> &str {
        &self.installation
    }

    /// The principal under which this key signs.
    pub fn principal(&self) -> String {
        format!("process:{}", self.installation)
    }

    /// The origin of checkpoints.
    pub fn origin(&self) -> String {
        origin(&self.installation)
    }

    /// The verifier key of the C2SP signed note.
    pub fn vkey(&self) -> String {
        let name = self.origin();
        let id = hexadecimal(&key_id(&name, &self.public), 4);
        format!("{name}+{id}+{}", Base64::encode_string(&[&[1_u8][..], &self.public].concat()))
    }

    /// The allowed-signers file of an installation without persons.
    pub fn allowed_signers(&self) -> Result<String, LedgerError> {
        let public = PublicKey::from(Ed25519PublicKey(self.public)).to_openssh().map_err(broken)?;
        Ok(format!("{} namespaces=\"{DEED},{APPROVAL},{CHECKPOINT}\" {}\n", self.principal(), public.trim_end()))
    }

    /// Signs as SSHSIG; base64 on one line without armour.
    pub fn sshsig(&self, namespace: &str, message: &[u8]) -> Result<String, LedgerError> {
        let signed = self.key.sign(namespace, HashAlg::Sha512, message).and_then(|sig| Ok(sig.encode_vec()?)).map_err(broken)?;
        Ok(Base64::encode_string(&signed))
    }

    /// Signs a payload of a type for a DSSE envelope: over its pre-authentication encoding, which no other thing that this key signs
    /// begins as.
    pub fn dsse(&self, payload_type: &str, payload: &[u8]) -> Option<Vec<u8>> {
        let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
        let signed: Signature = self.key.try_sign(&[head.as_bytes(), payload].concat()).ok()?;
        Some(signed.as_bytes().to_vec())
    }

    /// Signs the text of a note, which ends in a newline, and puts the note together.
    pub fn note(&self, text: &str) -> Result<String, LedgerError> {
        fn raw(key: &impl SigningKey, message: &[u8]) -> Option<Signature> {
            key.try_sign(message).ok()
        }
        let signed = raw(&self.key, text.as_bytes()).ok_or_else(|| broken("the checkpoint could not be signed"))?;
        let name = self.origin();
        let blob = [&key_id(&name, &self.public)[..], signed.as_bytes()].concat();
        Ok(format!("{text}\n\u{2014} {name} {}\n", Base64::encode_string(&blob)))
    }
}

/// The origin of an installation's checkpoints.
pub fn origin(installation: &str) -> String {
    format!("gonogo/{installation}")
}

/// The public key in a verifier key, when it is one of ours: right name, identity and type.
pub fn verifier(vkey: &str) -> Option<[u8; 32]> {
    let (name, rest) = vkey.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let bytes = Base64::decode_vec(key).ok()?;
    let (kind, public) = bytes.split_first()?;
    let public = <[u8; 32]>::try_from(public).ok()?;
    (*kind == 1 && id == hexadecimal(&key_id(name, &public), 4)).then_some(public)
}

/// The text of a signed note whose signature by `name` and `public` holds.
pub fn open_note<'a>(note: &'a str, name: &str, public: &[u8; 32]) -> Option<&'a str> {
    let (text, signatures) = note.rsplit_once("\n\n")?;
    let text = note.get(..text.len().checked_add(1)?)?;
    let holds = |line: &str| {
        let blob = line.strip_prefix("\u{2014} ")?.strip_prefix(name)?.strip_prefix(' ')?;
        let bytes = Base64::decode_vec(blob).ok()?;
        let signed = bytes.strip_prefix(&key_id(name, public))?;
        let signed = Signature::new(Algorithm::Ed25519, signed.to_vec()).ok()?;
        Ed25519PublicKey(*public).verify(text.as_bytes(), &signed).ok()
    };
    let signatures = signatures.strip_suffix('\n')?;
    signatures.split('\n').any(|line| holds(line).is_some()).then_some(text)
}

/// Why an entry's signature does not hold: the word for `verify`.
pub fn check_sshsig(signers: &[Signer], signer: &str, namespace: &str, body: &[u8], blob: &[u8]) -> Result<(), &'static str> {
    // The type of its key is looked at first: what decodes a certificate inside a certificate goes down with them.
    let key = blob.strip_prefix(b"SSHSIG").and_then(|rest| rest.get(8..));
    key.and_then(sshkey::kind_of).ok_or("signature: no SSHSIG of a type that is taken")?;
    let sig = SshSig::decode(&mut &*blob).map_err(|_| "signature: no SSHSIG")?;
    if sig.encode_vec().map_err(|_| "signature: no SSHSIG")? != blob {
        return Err("signature: not canonical");
    }
    // The version is not signed, and the library takes older ones that never were.
    if sig.version() != SSHSIG_VERSION {
        return Err("signature: no SSHSIG of version 1");
    }
    if sig.namespace() != namespace {
        return Err("namespace: not the one of its kind");
    }
    let known = signers.iter().find(|known| known.principal == signer && known.key.key_data() == sig.public_key());
    let known = known.ok_or("signature: the key is not the signer's")?;
    if !known.namespaces.iter().any(|allowed| allowed == namespace) {
        return Err("namespace: not one of the signer's");
    }
    known.key.verify(namespace, body, &sig).map_err(|_| "signature: does not fit the body")
}

/// The persons' lines of an allowed-signers file, in the order of their names; keys that cannot be read are left out.
pub fn person_signers(people: &[Person]) -> String {
    let mut lines: Vec<String> = people
        .iter()
        .flat_map(|person| person.keys.iter().filter_map(|key| Some((&person.name, sshkey::read(key).ok()?))))
        .filter_map(|(name, key)| {
            let bare = PublicKey::from(key.key_data().clone()).to_openssh().ok()?;
            Some(format!("{name} namespaces=\"{DEED},{APPROVAL}\" {}\n", bare.trim_end()))
        })
        .collect();
    lines.sort();
    lines.concat()
}

/// One line of an allowed-signers file.
#[derive(Debug, Clone)]
pub struct Signer {
    principal: String,
    namespaces: Vec<String>,
    key: PublicKey,
}

impl Signer {
    /// Whether it is this principal with this key.
    pub fn is(&self, principal: &str, public: &[u8; 32]) -> bool {
        self.principal == principal && self.key.key_data() == &KeyData::from(Ed25519PublicKey(*public))
    }
}

/// Reads an allowed-signers file; none when a line is not of our form.
pub fn read_signers(file: &[u8]) -> Option<Vec<Signer>> {
    let file = std::str::from_utf8(file).ok()?.strip_suffix('\n')?;
    file.split('\n')
        .map(|line| {
            let (principal, rest) = line.split_once(" namespaces=\"")?;
            let (namespaces, key) = rest.split_once("\" ")?;
            Some(Signer {
                principal: principal.to_owned(),
                namespaces: namespaces.split(',').map(str::to_owned).collect(),
                key: sshkey::read(key).ok()?,
            })
        })
        .collect()
}

fn key_id(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let hash: Hash = Sha256::new().chain_update(name).chain_update([b'\n', 1]).chain_update(public).finalize().into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

fn hexadecimal(bytes: &[u8], most: usize) -> String {
    bytes.iter().take(most).fold(String::new(), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}
