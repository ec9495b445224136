//! A web server with one calendar, as web servers serve files: with an `ETag`, and 304 to whoever has that version.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

/// What it serves, and what it answered.
#[derive(Debug, Default)]
struct Served {
    text: Mutex<Option<String>>,
    answers: Mutex<Vec<u16>>,
}

/// A web server; it ends when it is dropped.
pub struct CalendarServer {
    served: Arc<Served>,
    port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl CalendarServer {
    /// Starts one without a calendar.
    pub async fn start() -> Self {
        let served = Arc::new(Served::default());
        let routes = axum::Router::new().route("/private-abc/freezes.ics", axum::routing::get(answer)).with_state(Arc::clone(&served));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { served, port, task }
    }

    /// The calendar's address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/private-abc/freezes.ics", self.port)
    }

    /// Serves this from now on; none: 404.
    pub fn put(&self, text: Option<&str>) {
        *self.served.text.lock().unwrap() = text.map(str::to_owned);
    }

    /// The statuses that it answered since it was last asked.
    pub fn answers(&self) -> Vec<u16> {
        std::mem::take(&mut *self.served.answers.lock().unwrap())
    }
}

impl Drop for CalendarServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(served): State<Arc<Served>>, headers: HeaderMap) -> Response {
    let response = match served.text.lock().unwrap().clone() {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(text) => {
            let digest = Sha256::digest(text.as_bytes()).iter().take(8).fold(String::new(), |tag, byte| format!("{tag}{byte:02x}"));
            let etag = format!("\"{digest}\"");
            if headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes()) {
                (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response()
            } else {
                ([(header::CONTENT_TYPE, "text/calendar; charset=utf-8".to_owned()), (header::ETAG, etag)], text).into_response()
            }
        }
    };
    served.answers.lock().unwrap().push(response.status().as_u16());
    response
}
