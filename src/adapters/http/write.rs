//! Plain text where a product answers with it, and the writes beside a post of JSON: changes, changes of what still is as it was, calls.

use std::sync::atomic::AtomicBool;

use serde_json::Value;

use super::answer::Answer;
use super::client::{Body, Failed, HttpClient};
use crate::model::error::{PortError, SendError};

impl HttpClient {
    /// Reads plain text, as [`Self::get_json`] reads JSON, never conditionally; it is a string.
    ///
    /// # Errors
    /// As [`Self::get_json`].
    pub async fn get_plain(&self, doing: &str, path: &str) -> Result<Answer, PortError> {
        let read = async |begun: &AtomicBool| self.read(&self.url(path)?, &Body::Text, begun).await;
        self.within(read).await.map_err(|failed| self.failure(doing, &failed))
    }

    /// Changes something: as [`Self::post_json`], with PATCH.
    ///
    /// # Errors
    /// As [`Self::post_json`].
    pub async fn patch_json(&self, doing: &str, path: &str, body: &Value) -> Result<Answer, SendError> {
        self.write(doing, async |begun: &AtomicBool| self.once(&self.url(path)?, &Body::Patch(body), begun).await).await
    }

    /// Changes something that still is as `etag` says, by `If-Match`: as [`Self::patch_json`]; 412 is `NotDone` with kind `Conflict`.
    ///
    /// # Errors
    /// As [`Self::post_json`].
    pub async fn patch_json_if(&self, doing: &str, path: &str, body: &Value, etag: &str) -> Result<Answer, SendError> {
        self.write(doing, async |begun: &AtomicBool| self.once(&self.url(path)?, &Body::PatchIf(body, etag), begun).await).await
    }

    /// Changes something by a patch of a media type, with a query: as [`Self::patch_json`]; 409 is `NotDone` with kind `Conflict`.
    ///
    /// # Errors
    /// As [`Self::post_json`].
    pub async fn patch_as(
        &self,
        doing: &str,
        (path, query): (&str, &[(&str, &str)]),
        (media, body): (&'static str, &Value),
    ) -> Result<Answer, SendError> {
        let patch = async |begun: &AtomicBool| {
            let mut url = self.url(path)?;
            url.query_pairs_mut().extend_pairs(query);
            self.once(&url, &Body::PatchAs(body, media), begun).await
        };
        self.write(doing, patch).await
    }

    /// Removes what an address names: as [`Self::post_json`], with DELETE.
    ///
    /// # Errors
    /// As [`Self::post_json`].
    pub async fn delete(&self, doing: &str, path: &str) -> Result<Answer, SendError> {
        self.write(doing, async |begun: &AtomicBool| self.once(&self.url(path)?, &Body::Delete, begun).await).await
    }

    /// Posts to an address whose query says everything; the good answer is plain text, a string.
    ///
    /// # Errors
    /// As [`Self::post_json`].
    pub async fn call(&self, doing: &str, path: &str, query: &[(&str, &str)]) -> Result<Answer, SendError> {
        let call = async |begun: &AtomicBool| {
            let mut url = self.url(path)?;
            url.query_pairs_mut().extend_pairs(query);
            self.once(&url, &Body::Call, begun).await
        };
        self.write(doing, call).await
    }

    pub(super) async fn write(
        &self,
        doing: &str,
        write: impl AsyncFnOnce(&AtomicBool) -> Result<Answer, Failed>,
    ) -> Result<Answer, SendError> {
        self.within(write).await.map_err(|failed| {
            let error = self.failure(doing, &failed);
            if failed.left { SendError::Unknown(error) } else { SendError::NotDone(error) }
        })
    }
}
