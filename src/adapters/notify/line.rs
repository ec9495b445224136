//! A notice as a line of text, for a chat.

use crate::model::deed::EntryKind;
use crate::model::outbox::{Notice, NoticeKind};

/// The line. What chats take for markup or an address is written so that it is none.
pub fn line(room: &str, notice: &Notice) -> String {
    let subject = || {
        let target = notice.target.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{} {target}", notice.verb.as_deref().unwrap_or_default())
    };
    let by = notice.requester.as_deref().unwrap_or("nobody known");
    let words = notice.words.as_str();
    let behind = |text: &str| if text.is_empty() { String::new() } else { format!(": {text}") };
    let what = match notice.kind {
        NoticeKind::Entry(EntryKind::BreakGlass) => match notice.state.as_deref() {
            Some("box-ended") => format!("BREAK GLASS OVER {}: {words}", subject()),
            Some("review-overdue") => format!("REVIEW OVERDUE {}: {words}", subject()),
            Some("reviewed") => format!("break glass reviewed {}: {words}", subject()),
            Some("not-in-second-place") => format!("BREAK GLASS {}: {words}", subject()),
            Some(_) | None => {
                let until = notice.said("until").unwrap_or("?");
                format!("BREAK GLASS {} by {by} until {until}{}", subject(), behind(notice.said("reason").unwrap_or(words)))
            }
        },
        NoticeKind::Waiting => format!("{} by {by} waits for others{}", subject(), behind(words)),
        NoticeKind::WayBackFailed => {
            let target = notice.target.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("CRITICAL {target} DID NOT GO BACK BY ITSELF: {words}")
        }
        NoticeKind::Planned => format!("{} by {by} was planned{}", subject(), behind(words)),
        NoticeKind::Entry(kind) => format!("{} {} by {by}{}", kind.word().to_uppercase(), subject(), behind(words)),
    };
    let mut text = String::new();
    for c in format!("[{room}] {what}").chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            other => text.push(other),
        }
    }
    text
}
