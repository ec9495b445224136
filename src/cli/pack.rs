//! The advisory board's pack as a file: Markdown, HTML, JSON.

mod html;
mod markdown;
mod object;

pub use html::html;
pub use markdown::markdown;
pub use object::object;
