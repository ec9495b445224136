//! One exchange with the runtime API: one line of commands out, one answer for each back, within a deadline and a bound.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::model::error::PortErrorKind;

/// The most bytes of an answer that are read.
pub(super) const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Where the stats socket is.
pub(super) enum Place {
    /// A UNIX socket.
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
}

/// An exchange that brought no whole answer.
#[derive(Debug)]
pub(super) struct Failure {
    /// The kind.
    pub(super) kind: PortErrorKind,
    /// What happened.
    pub(super) detail: String,
    /// Whether a byte may have left.
    pub(super) sent: bool,
}

struct Broken {
    kind: PortErrorKind,
    detail: String,
}

impl Broken {
    fn new(kind: PortErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

/// Sends the commands in one line and returns one answer for each, without the empty line that ends it.
pub(super) async fn exchange(place: &Place, commands: &[String], deadline: Duration) -> Result<Vec<String>, Failure> {
    let mut sent = false;
    let done = timeout(deadline, talk(place, commands, &mut sent)).await;
    let result = done
        .unwrap_or_else(|_| Err(Broken::new(PortErrorKind::TimedOut, format!("no whole answer within {:.1} s", deadline.as_secs_f64()))));
    result.map_err(|Broken { kind, detail }| Failure { kind, detail, sent })
}

async fn talk(place: &Place, commands: &[String], sent: &mut bool) -> Result<Vec<String>, Broken> {
    match place {
        Place::Unix(path) => {
            let stream = UnixStream::connect(path).await.map_err(|error| unconnected(&error, &path.to_string_lossy()))?;
            converse(stream, commands, sent).await
        }
        Place::Tcp(address) => {
            let stream = TcpStream::connect(address).await.map_err(|error| unconnected(&error, address))?;
            converse(stream, commands, sent).await
        }
    }
}

fn unconnected(error: &io::Error, place: &str) -> Broken {
    let kind = if error.kind() == io::ErrorKind::PermissionDenied {
        PortErrorKind::Forbidden
    } else if error.kind() == io::ErrorKind::TimedOut {
        PortErrorKind::TimedOut
    } else {
        PortErrorKind::Unreachable
    };
    Broken::new(kind, format!("{place}: {error}"))
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, commands: &[String], sent: &mut bool) -> Result<Vec<String>, Broken> {
    let line = format!("{}\n", commands.join(";"));
    *sent = true;
    let written = stream.write_all(line.as_bytes()).await;
    let (bytes, read) = drain(&mut stream).await?;
    match answers(&bytes, commands.len()) {
        Ok(answers) => Ok(answers),
        Err(detail) => match written.and(read) {
            Err(error) => Err(Broken::new(PortErrorKind::Unreachable, format!("the connection broke: {error}"))),
            Ok(()) if bytes.is_empty() => Err(Broken::new(PortErrorKind::Unreachable, "it closed the connection without an answer")),
            Ok(()) => Err(Broken::new(PortErrorKind::Malformed, detail)),
        },
    }
}

/// Reads to the end, and keeps what came before a broken connection.
async fn drain(stream: &mut (impl AsyncRead + Unpin)) -> Result<(Vec<u8>, io::Result<()>), Broken> {
    let mut bytes = Vec::with_capacity(16 * 1024);
    loop {
        match stream.read_buf(&mut bytes).await {
            Ok(0) => return Ok((bytes, Ok(()))),
            Ok(_) if bytes.len() > MOST_BYTES => {
                return Err(Broken::new(PortErrorKind::Malformed, format!("the answer is larger than {MOST_BYTES} bytes")));
            }
            Ok(_) => {}
            Err(error) => return Ok((bytes, Err(error))),
        }
    }
}

/// Cuts what came into answers, each ended by an empty line; a successful `set` is nothing but that line.
fn answers(bytes: &[u8], expected: usize) -> Result<Vec<String>, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut answers = Vec::with_capacity(expected);
    let mut open = String::new();
    for line in text.split_inclusive('\n') {
        if line == "\n" {
            answers.push(std::mem::take(&mut open));
        } else {
            open.push_str(line);
        }
    }
    if !open.is_empty() {
        let end: String = open.chars().take(80).collect();
        return Err(format!("the answer ends in the middle, in `{end}`"));
    }
    if answers.len() != expected {
        return Err(format!("{} answers to {expected} commands", answers.len()));
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_successful_set_is_an_empty_answer() {
        assert_eq!(answers(b"\n20 (initial 0)\n\n", 2).unwrap(), ["", "20 (initial 0)\n"]);
    }

    #[test]
    fn a_socket_whose_file_forbids_is_forbidden_and_an_absent_one_unreachable() {
        let kind = |error: io::ErrorKind| unconnected(&error.into(), "/run/haproxy.sock").kind;
        assert_eq!(kind(io::ErrorKind::PermissionDenied), PortErrorKind::Forbidden);
        assert_eq!(kind(io::ErrorKind::NotFound), PortErrorKind::Unreachable);
        assert_eq!(kind(io::ErrorKind::TimedOut), PortErrorKind::TimedOut);
    }

    #[test]
    fn an_answer_that_ends_early_is_refused() {
        assert!(answers(b"Name: HAProxy\nPid: 1", 1).is_err());
        assert!(answers(b"Name: HAProxy\nPid: 1\n", 1).is_err());
        assert!(answers(b"\n", 2).is_err());
        assert!(answers(b"\n\n\n", 2).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), expected in 0_usize..5) {
            let _ = answers(&bytes, expected);
        }
    }
}
