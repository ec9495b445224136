//! What an asynchronous port method returns; a file of its own, so that the ports and their list do not import each other.

use std::future::Future;
use std::pin::Pin;

/// The answer of an asynchronous port method, on its way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
