//! The commented example that `gonogo config example` prints.

/// One whole configuration file with comments. `gonogo config check` accepts it.
pub fn example() -> &'static str {
    include_str!("example.toml")
}
