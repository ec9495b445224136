//! A calendar at an address.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{MOST_BYTES, parse};
use crate::adapters::http::HttpClient;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::ical::CalendarReading;
use crate::model::name::BackendName;
use crate::ports::Pending;
use crate::ports::calendar::Calendar;
use crate::ports::clock::Clock;

const DOING: &str = "read the calendar";

/// A calendar at an http or https address. An unchanged one (`ETag`) travels and is parsed only once.
pub struct CalendarAddress {
    http: HttpClient,
    path: String,
    last: Mutex<Option<Arc<CalendarReading>>>,
}

impl CalendarAddress {
    /// The calendar at `url`, under the name by which failures call it. Its path may be a secret and stands in no failure.
    ///
    /// # Errors
    /// When the address is none, or would be read in plain text over a network.
    pub fn new(name: &BackendName, url: &str, deadline: Duration, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        let after_scheme = url.find("://").map_or(0, |at| at + 3);
        let begin = url.get(after_scheme..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| at + after_scheme);
        let (origin, path) = url.split_at_checked(begin).unwrap_or((url, ""));
        let http = HttpClient::for_calendar(name, origin, deadline, clock)?.with_most_bytes(MOST_BYTES);
        Ok(Self { http, path: if path.is_empty() { "/".to_owned() } else { path.to_owned() }, last: Mutex::new(None) })
    }

    async fn read_now(&self) -> Result<Arc<CalendarReading>, PortError> {
        let answer = self.http.get_calendar(DOING, &self.path).await?;
        // What is not changed is what was read last, and nothing after an answer that could not be understood.
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        let reading = if let Some(last) = last.filter(|_| answer.not_modified) {
            last
        } else {
            let text = answer.value.as_str().unwrap_or_default();
            Arc::new(parse(text).map_err(|why| self.http.fault(PortErrorKind::Malformed, DOING, &why))?)
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&reading));
        Ok(reading)
    }
}

impl Calendar for CalendarAddress {
    fn read(&self) -> Pending<'_, Result<Arc<CalendarReading>, PortError>> {
        Box::pin(self.read_now())
    }
}
