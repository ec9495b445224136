//! The two exchanges of the SSH agent protocol that signing needs: list the keys, sign with one.
//!
//! Numbers and forms are those of draft-ietf-sshm-ssh-agent. What an agent answers is hostile until it has been read here: every
//! length is looked at before it is believed, nothing is reserved by a number that the agent tells.

/// The longest answer that is read, in bytes: OpenSSH's own bound.
pub(super) const LONGEST: usize = 256 * 1024;

/// The flag by which an RSA key signs with SHA-512, the only way that we take.
pub(super) const RSA_SHA2_512: u32 = 4;

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// Why an answer is not what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The agent said no, which it does without a reason.
    Failure,
    /// It is no answer to the question.
    Garbled(&'static str),
}

/// The question for all keys.
pub(super) fn list() -> Vec<u8> {
    framed(&[REQUEST_IDENTITIES])
}

/// The question for a signature over `data` by the key of these bytes.
pub(super) fn sign(key: &[u8], data: &[u8], flags: u32) -> Vec<u8> {
    let mut message = vec![SIGN_REQUEST];
    put(&mut message, key);
    put(&mut message, data);
    message.extend_from_slice(&flags.to_be_bytes());
    framed(&message)
}

/// The keys in an answer to [`list`], each in the bytes of its public key.
pub(super) fn keys(answer: &[u8]) -> Result<Vec<&[u8]>, Wrong> {
    const CUT: Wrong = Wrong::Garbled("its list of keys is cut short");
    let mut rest = body(answer, IDENTITIES_ANSWER)?;
    let count = number(&mut rest).ok_or(CUT)?;
    let mut keys = Vec::new();
    for _ in 0..count {
        keys.push(string(&mut rest).ok_or(CUT)?);
        // The comment: words of whoever added the key, in no certain encoding.
        string(&mut rest).ok_or(CUT)?;
    }
    if rest.is_empty() { Ok(keys) } else { Err(Wrong::Garbled("its list of keys has something behind its end")) }
}

/// The signature in an answer to [`sign`].
pub(super) fn signature(answer: &[u8]) -> Result<&[u8], Wrong> {
    let mut rest = body(answer, SIGN_RESPONSE)?;
    let signature = string(&mut rest).ok_or(Wrong::Garbled("its signature is cut short"))?;
    if rest.is_empty() { Ok(signature) } else { Err(Wrong::Garbled("its signature has something behind its end")) }
}

fn body(answer: &[u8], kind: u8) -> Result<&[u8], Wrong> {
    match answer.split_first() {
        Some((first, rest)) if *first == kind => Ok(rest),
        Some((&FAILURE, _)) => Err(Wrong::Failure),
        Some(_) => Err(Wrong::Garbled("it answered something else than it was asked")),
        None => Err(Wrong::Garbled("its answer is empty")),
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(message.len().saturating_add(4));
    put(&mut frame, message);
    frame
}

/// Appends a length and the bytes. What we send is shorter than 4 GiB by far.
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (first, behind) = rest.split_first_chunk::<4>()?;
    *rest = behind;
    Some(u32::from_be_bytes(*first))
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (string, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(string)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn listed(keys: &[&[u8]]) -> Vec<u8> {
        let mut answer = vec![IDENTITIES_ANSWER];
        answer.extend_from_slice(&u32::try_from(keys.len()).unwrap().to_be_bytes());
        for key in keys {
            put(&mut answer, key);
            put(&mut answer, b"\xff no UTF-8");
        }
        answer
    }

    #[test]
    fn a_question_has_its_length_its_number_and_its_parts() {
        assert_eq!(list(), [0, 0, 0, 1, 11]);
        assert_eq!(sign(b"k", b"data", RSA_SHA2_512), [0, 0, 0, 18, 13, 0, 0, 0, 1, b'k', 0, 0, 0, 4, b'd', b'a', b't', b'a', 0, 0, 0, 4]);
    }

    #[test]
    fn keys_are_read_whatever_their_comments_say() {
        assert_eq!(keys(&listed(&[b"one", b"two"])).unwrap(), [b"one", b"two"]);
        assert_eq!(keys(&listed(&[])).unwrap(), Vec::<&[u8]>::new());
    }

    #[test]
    fn an_answer_is_taken_whole_or_not_at_all() {
        let whole = listed(&[b"one", b"two"]);
        for length in 0..whole.len() {
            assert!(matches!(keys(&whole[..length]), Err(Wrong::Garbled(_))), "cut after {length}");
        }
        assert!(matches!(keys(&[&whole[..], b"x"].concat()), Err(Wrong::Garbled(_))));
        assert_eq!(signature(&[14, 0, 0, 0, 1, 7]), Ok(&[7][..]));
        assert!(matches!(signature(&[14, 0, 0, 0, 1, 7, 7]), Err(Wrong::Garbled(_))));
        assert!(matches!(signature(&[14, 0, 0, 0, 2, 7]), Err(Wrong::Garbled(_))));
    }

    #[test]
    fn a_no_is_told_from_nonsense() {
        assert_eq!(keys(&[FAILURE]), Err(Wrong::Failure));
        assert_eq!(signature(&[FAILURE]), Err(Wrong::Failure));
        assert!(matches!(keys(&[SIGN_RESPONSE, 0, 0, 0, 0]), Err(Wrong::Garbled(_))));
        assert!(matches!(signature(&[]), Err(Wrong::Garbled(_))));
    }

    #[test]
    fn a_count_without_keys_reserves_nothing() {
        assert!(matches!(keys(&[IDENTITIES_ANSWER, 255, 255, 255, 255]), Err(Wrong::Garbled(_))));
    }

    proptest! {
        #[test]
        fn nothing_that_an_agent_answers_panics(answer in proptest::collection::vec(any::<u8>(), 0..200), kind in 0_u8..16) {
            let answer = [&[kind][..], &answer].concat();
            let _ = (keys(&answer), signature(&answer));
        }
    }
}
