//! A check by a program: without a shell, with nothing on its input, ended with everything that it started when it takes too long.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::MOST_BYTES;
use crate::model::probe::{Held, ProbeAnswer};
use crate::model::text::Text;

/// Ends what a program started, however this is left.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// The first bytes of an output.
async fn read(output: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(output) = output {
        let _ = output.take(u64::try_from(MOST_BYTES).unwrap_or(u64::MAX)).read_to_end(&mut bytes).await;
    }
    bytes
}

/// Runs it. The last line that it wrote is the evidence.
pub async fn run(words: &[String], within: Duration) -> ProbeAnswer {
    let Some((program, arguments)) = words.split_first() else { return ProbeAnswer::new(Held::NotKnown, "no program is named") };
    let spawned = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return ProbeAnswer::new(Held::NotKnown, &format!("{program} did not start: {error}")),
    };
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let _ended = Group(group);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    // A program that leaves another one behind, which holds its output open, has not ended.
    let ran = async {
        let (status, said, complained) = tokio::join!(child.wait(), read(out), read(err));
        (status, said, complained)
    };
    match tokio::time::timeout(within, ran).await {
        Err(_) => ProbeAnswer::new(Held::NotKnown, &format!("{program} took longer than {} s and was ended", within.as_secs())),
        Ok((Err(error), ..)) => ProbeAnswer::new(Held::NotKnown, &format!("how {program} ended is not known: {error}")),
        Ok((Ok(status), said, complained)) => {
            let last = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned);
            let line = last(&complained).filter(|_| !status.success()).or_else(|| last(&said)).or_else(|| last(&complained));
            let line = line.map(|line| format!(": {}", Text::clean_within(&line, 120))).unwrap_or_default();
            match status.code() {
                Some(0) => ProbeAnswer::new(Held::Holds, &format!("{program} ended with 0{line}")),
                Some(code) => ProbeAnswer::new(Held::Fails, &format!("{program} ended with {code}{line}")),
                None => ProbeAnswer::new(Held::NotKnown, &format!("{program} was killed{line}")),
            }
        }
    }
}
