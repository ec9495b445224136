//! The SSH agent as it is: every type of key, locked, refusing, gone; and fake ones that answer what no agent should.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use gonogo::adapters::signer::{Deadlines, SshAgent};
use gonogo::ports::signer::{SignError, Signed, Signer};
use gonogo::store::{check_sshsig, read_signers};
use sha2::{Digest as _, Sha256};
use signature::Signer as _;
use ssh_key::PrivateKey;
use ssh_key::private::Ed25519Keypair;

use crate::servers::agent::{Agent, Fake, bytes_of, listing, make_key, string};

const NAMESPACE: &str = "gonogo-approval@v1";
const BODY: &[u8] = b"{\"decision\":\"approve\",\"plan\":\"00\"}";

fn at(socket: PathBuf) -> SshAgent {
    SshAgent::new(Some(socket), Deadlines::default())
}

fn impatient(socket: PathBuf) -> SshAgent {
    SshAgent::new(Some(socket), Deadlines { list: Duration::from_millis(300), sign: Duration::from_millis(300) })
}

async fn sign(agent: &SshAgent, keys: &[&str]) -> Result<Signed, SignError> {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    agent.sign(&keys, NAMESPACE, BODY).await
}

/// What `ssh-keygen` says of a signature, on a machine that has never seen gonogo.
fn keygen_verifies(signed: &Signed, namespace: &str, body: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let (signers, sig) = (folder.path().join("signers"), folder.path().join("sig"));
    std::fs::write(&signers, format!("ana namespaces=\"{NAMESPACE}\" {}\n", signed.key)).unwrap();
    let lines: Vec<String> =
        Base64::encode_string(&signed.blob).as_bytes().chunks(70).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let armoured = format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"));
    std::fs::write(&sig, armoured).unwrap();
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "verify", "-I", "ana", "-n", namespace, "-f"]).arg(&signers).arg("-s").arg(&sig);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    child.wait().unwrap().success()
}

fn ledger_verifies(signed: &Signed, namespace: &str, body: &[u8]) -> Result<(), &'static str> {
    let signers = read_signers(format!("ana namespaces=\"{NAMESPACE},gonogo-deed@v1\" {}\n", signed.key).as_bytes()).unwrap();
    check_sshsig(&signers, "ana", namespace, body, &signed.blob)
}

#[track_caller]
fn verifies_everywhere(signed: &Signed) {
    assert_eq!(ledger_verifies(signed, NAMESPACE, BODY), Ok(()), "{}", signed.key);
    assert_eq!(ledger_verifies(signed, NAMESPACE, b"{}"), Err("signature: does not fit the body"), "{}", signed.key);
    assert_eq!(ledger_verifies(signed, "gonogo-deed@v1", BODY), Err("namespace: not the one of its kind"), "{}", signed.key);
    assert!(keygen_verifies(signed, NAMESPACE, BODY), "ssh-keygen refuses {}", signed.key);
    assert!(!keygen_verifies(signed, NAMESPACE, b"{}"), "ssh-keygen takes anything of {}", signed.key);
}

#[tokio::test]
async fn every_type_of_key_signs_what_ssh_keygen_and_the_ledger_verify() {
    let real = Agent::start();
    let forms = [
        ("ed", &["-t", "ed25519"][..]),
        ("p256", &["-t", "ecdsa", "-b", "256"]),
        ("p384", &["-t", "ecdsa", "-b", "384"]),
        ("p521", &["-t", "ecdsa", "-b", "521"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
    ];
    let made: Vec<String> = forms.iter().map(|(name, form)| real.add(name, form)).collect();
    let agent = at(real.socket());
    assert_eq!(agent.keys().await.unwrap(), made, "all, in the agent's order, without comments");
    for key in &made {
        let signed = sign(&agent, &[key]).await.unwrap();
        assert_eq!(&signed.key, key);
        verifies_everywhere(&signed);
    }
}

#[tokio::test]
async fn the_first_of_the_persons_keys_that_the_agent_holds_signs() {
    let real = Agent::start();
    let (one, other) = (real.add("one", &["-t", "ed25519"]), real.add("other", &["-t", "ed25519"]));
    let absent = make_key(real.folder(), "absent", &["-t", "ed25519"]);
    let agent = at(real.socket());
    assert_eq!(sign(&agent, &[&absent, &format!("{other} other@laptop"), &one]).await.unwrap().key, other);
    assert_eq!(sign(&agent, &[&one, &other]).await.unwrap().key, one);
}

#[tokio::test]
async fn a_key_that_is_not_there_is_said() {
    let real = Agent::start();
    let absent = make_key(real.folder(), "absent", &["-t", "ed25519"]);
    let agent = at(real.socket());
    let error = sign(&agent, &[&absent]).await.unwrap_err();
    assert!(
        matches!(&error, SignError::NoKey(why) if why.as_str().contains("holds no key") && why.as_str().contains("ssh-add")),
        "{error}"
    );
    real.add("other", &["-t", "ed25519"]);
    let error = sign(&agent, &[&absent]).await.unwrap_err();
    assert!(matches!(&error, SignError::NoKey(why) if why.as_str().contains("holds 1")), "{error}");
    assert!(matches!(sign(&agent, &[]).await, Err(SignError::NoKey(_))));
}

#[tokio::test]
async fn a_locked_agent_signs_nothing_and_says_how_to_unlock_it() {
    let real = Agent::start();
    let key = real.add("key", &["-t", "ed25519"]);
    real.ssh_add(&["-x"]);
    let agent = at(real.socket());
    assert_eq!(agent.keys().await.unwrap(), Vec::<String>::new());
    let error = sign(&agent, &[&key]).await.unwrap_err();
    assert!(matches!(&error, SignError::NoKey(why) if why.as_str().contains("ssh-add -X")), "{error}");
    real.ssh_add(&["-X"]);
    verifies_everywhere(&sign(&agent, &[&key]).await.unwrap());
}

#[tokio::test]
async fn a_person_may_refuse_to_confirm() {
    for (answer, signs) in [("exit 1", false), ("echo yes", true)] {
        let real = Agent::start_confirming(answer);
        let key = make_key(real.folder(), "key", &["-t", "ed25519"]);
        real.ssh_add(&["-q", "-c", real.folder().join("key").to_str().unwrap()]);
        let result = sign(&at(real.socket()), &[&key]).await;
        assert_eq!(result.is_ok(), signs, "{result:?}");
        assert!(signs || matches!(result, Err(SignError::Refused(_))), "{result:?}");
    }
}

#[tokio::test]
async fn without_an_agent_it_says_how_to_start_one() {
    let folder = tempfile::tempdir().unwrap();
    for agent in [SshAgent::new(None, Deadlines::default()), at(folder.path().join("none.sock"))] {
        for error in [agent.keys().await.unwrap_err(), sign(&agent, &["ssh-ed25519 AAAA"]).await.unwrap_err()] {
            let said = error.to_string();
            assert!(matches!(error, SignError::NoAgent(_)) && said.contains("ssh-add") && said.contains("ssh -A"), "{said}");
        }
    }
}

#[tokio::test]
async fn an_agent_that_ended_is_no_agent() {
    let real = Agent::start();
    let key = real.add("key", &["-t", "ed25519"]);
    let agent = at(real.socket());
    sign(&agent, &[&key]).await.unwrap();
    let socket = real.socket();
    drop(real);
    // The folder went with it; a socket that nobody listens at any more is the same to us.
    assert!(matches!(sign(&agent, &[&key]).await, Err(SignError::NoAgent(_))));
    std::fs::create_dir_all(socket.parent().unwrap()).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(matches!(sign(&agent, &[&key]).await, Err(SignError::NoAgent(_))));
    std::fs::remove_dir_all(socket.parent().unwrap()).unwrap();
}

#[tokio::test]
async fn a_certificate_is_passed_over_and_its_key_is_listed() {
    let real = Agent::start();
    make_key(real.folder(), "ca", &["-t", "ed25519"]);
    let key = make_key(real.folder(), "key", &["-t", "ed25519"]);
    let mut certify = Command::new("ssh-keygen");
    certify.current_dir(real.folder()).args(["-q", "-s", "ca", "-I", "ana", "-n", "ana", "key.pub"]);
    assert!(certify.status().unwrap().success());
    real.ssh_add(&["-q", real.folder().join("key").to_str().unwrap()]);
    assert_eq!(at(real.socket()).keys().await.unwrap(), [key]);
}

/// A FIDO key as an agent has it: the signature is over the digests of application and data, with flags and counter.
#[tokio::test]
async fn a_key_on_a_stick_signs_what_ssh_keygen_and_the_ledger_verify() {
    let inner = PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]));
    let public = inner.public_key().key_data().ed25519().unwrap().0;
    let kind = b"sk-ssh-ed25519@openssh.com";
    let blob = [string(kind), string(&public), string(b"ssh:")].concat();
    let key = format!("sk-ssh-ed25519@openssh.com {}", Base64::encode_string(&blob));
    let listed = blob.clone();
    let fake = Fake::start(move |question| {
        if question == [11] {
            return Some(listing(std::slice::from_ref(&listed)));
        }
        let behind = question[1..].strip_prefix(&string(&listed)[..]).unwrap();
        let length = u32::from_be_bytes(behind[..4].try_into().unwrap()) as usize;
        let (flags, counter) = ([1], 5_u32.to_be_bytes());
        let message = [&Sha256::digest(b"ssh:")[..], &flags, &counter, &Sha256::digest(&behind[4..4 + length])].concat();
        let signed = inner.try_sign(&message).unwrap();
        let signature = [&string(kind)[..], &string(signed.as_bytes()), &flags, &counter].concat();
        Some(string(&[&[14][..], &string(&signature)].concat()))
    });
    let signed = sign(&at(fake.socket()), &[&key]).await.unwrap();
    assert_eq!(signed.key, key);
    verifies_everywhere(&signed);
}

#[tokio::test]
async fn garbage_is_told_as_garbage_and_a_no_as_a_no() {
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("an empty message", string(b"")),
        ("another answer", string(&[14, 0, 0, 0, 0])),
        ("an unknown number", string(&[200])),
        ("a count without keys", string(&[12, 255, 255, 255, 255])),
        ("a key that ends too early", string(&[12, 0, 0, 0, 1, 0, 0, 0, 9, 1])),
        ("too long", [&300_000_u32.to_be_bytes()[..], &[12]].concat()),
        ("longer than memory", vec![255; 64]),
        ("words", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
    ];
    for (what, answer) in cases {
        let fake = Fake::start(move |_| Some(answer.clone()));
        let error = at(fake.socket()).keys().await.unwrap_err();
        assert!(matches!(error, SignError::Broken(_)), "{what}: {error}");
        assert!(matches!(sign(&at(fake.socket()), &["ssh-ed25519 AAAA"]).await, Err(SignError::Broken(_))), "{what}");
    }
    let fake = Fake::start(|_| Some(string(&[5])));
    assert!(matches!(at(fake.socket()).keys().await, Err(SignError::Refused(_))));
}

fn ed25519(length: usize) -> Vec<u8> {
    [string(b"ssh-ed25519"), string(&vec![7; length])].concat()
}

/// A certificate signed by a certificate, and so on: a reader that goes down with them ends with its stack.
fn nested() -> Vec<u8> {
    let cert = |inner: Vec<u8>| {
        let first = [&b"ssh-ed25519-cert-v01@openssh.com"[..], &[1; 32], &[2; 32]].map(string).concat();
        let (serial_and_kind, names, dates) = ([&[0; 11][..], &[1]].concat(), [0; 8], [0; 16]);
        [&first[..], &serial_and_kind, &names, &dates, &[0; 12], &string(&inner), &string(b"")].concat()
    };
    (0..1500).fold(ed25519(32), |inner, _| cert(inner))
}

#[test]
fn a_ledger_with_certificates_in_certificates_is_refused_and_not_fallen_into() {
    let blob = [&b"SSHSIG\0\0\0\x01"[..], &string(&nested()), &string(b"n"), &string(b""), &string(b"sha512"), &string(b"")].concat();
    let said = check_sshsig(&[], "ana", NAMESPACE, BODY, &blob);
    assert!(said.is_err_and(|why| why.starts_with("signature: no SSHSIG")), "{said:?}");
    let line = format!("ana namespaces=\"{NAMESPACE}\" ssh-ed25519-cert-v01@openssh.com {}\n", Base64::encode_string(&nested()));
    assert!(read_signers(line.as_bytes()).is_none());
}

#[tokio::test]
async fn keys_that_are_none_do_not_hide_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let key = make_key(folder.path(), "key", &["-t", "ed25519"]);
    let nested = nested();
    assert!(nested.len() < 250_000, "{}", nested.len());
    let keys = vec![Vec::new(), vec![255; 40], nested, ed25519(31), string(b"ssh-dss"), bytes_of(&key), string(b"ssh-rsa")];
    let fake = Fake::listing(keys, None);
    assert_eq!(at(fake.socket()).keys().await.unwrap(), [key]);
}

#[tokio::test]
async fn a_signature_of_something_else_is_not_taken() {
    let real = Agent::start();
    let (key, other) = (real.add("key", &["-t", "ed25519"]), real.add("other", &["-t", "ed25519"]));
    let rsa = real.add("rsa", &["-t", "rsa", "-b", "2048"]);
    let raw = |kind: &str, bytes: &[u8]| [string(kind.as_bytes()), string(bytes)].concat();
    let cases = [
        (&key, "a signature of other bytes", raw("ssh-ed25519", &[7; 64])),
        (&key, "a short signature", raw("ssh-ed25519", &[7; 63])),
        (&key, "another type", raw("rsa-sha2-512", &[7; 256])),
        (&key, "nothing", Vec::new()),
        (&key, "something behind", [raw("ssh-ed25519", &[7; 64]), vec![0]].concat()),
        (&key, "an escape sequence", raw("x\x1b[2J@y.example", &[7; 64])),
        (&rsa, "a weak digest", raw("ssh-rsa", &[7; 256])),
        (&rsa, "another digest", raw("rsa-sha2-256", &[7; 256])),
        (&rsa, "no signature", raw("rsa-sha2-512", &[])),
    ];
    for (key, what, signature) in cases {
        let fake = Fake::listing(vec![bytes_of(key)], Some(string(&[&[14][..], &string(&signature)].concat())));
        let error = sign(&at(fake.socket()), &[key]).await.unwrap_err();
        assert!(matches!(error, SignError::Broken(_)), "{what}: {error}");
        assert!(!error.to_string().contains('\x1b'), "{error}");
    }
    // An agent that signs with another key than it was asked to.
    let socket = real.socket();
    let (asked, used) = (bytes_of(&key), bytes_of(&other));
    let fake = Fake::start(move |question| {
        let question =
            if question[0] == 13 { [&[13][..], &string(&used), &question[1 + string(&asked).len()..]].concat() } else { question.to_vec() };
        let mut line = std::os::unix::net::UnixStream::connect(&socket).ok()?;
        line.write_all(&string(&question)).ok()?;
        let mut length = [0; 4];
        std::io::Read::read_exact(&mut line, &mut length).ok()?;
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        std::io::Read::read_exact(&mut line, &mut answer).ok()?;
        Some(string(&answer))
    });
    let error = sign(&at(fake.socket()), &[&key]).await.unwrap_err();
    assert!(matches!(&error, SignError::Broken(why) if why.as_str().contains("does not fit")), "{error}");
}

#[tokio::test]
async fn an_agent_that_never_answers_is_left_at_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let key = make_key(folder.path(), "key", &["-t", "ed25519"]);
    let silent = Fake::start(|_| None);
    assert!(matches!(impatient(silent.socket()).keys().await, Err(SignError::NoAgent(_))));
    assert!(matches!(sign(&impatient(silent.socket()), &[&key]).await, Err(SignError::NoAgent(_))));
    let untouched = Fake::listing(vec![bytes_of(&key)], None);
    let error = sign(&impatient(untouched.socket()), &[&key]).await.unwrap_err();
    assert!(matches!(&error, SignError::Refused(why) if why.as_str().contains("touch")), "{error}");
    // Half an answer, and nothing behind it.
    let half = Fake::start(|question| (question == [11]).then(|| string(&[12, 0, 0, 0, 0])[..6].to_vec()));
    assert!(matches!(impatient(half.socket()).keys().await, Err(SignError::NoAgent(_))));
    assert_eq!(Deadlines::default().sign, Duration::from_mins(1), "a touch has a minute");
}
