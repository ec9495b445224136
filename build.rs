//! How the released program is linked; `src/decisions/0051-order-of-the-program.md` says why.
#![expect(clippy::disallowed_methods, reason = "cargo tells a build script what it builds by its environment")]

use std::env::var;
use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "cargo:rerun-if-changed=build.rs\ncargo:rerun-if-changed=src/linking/order.ld")?;
    let is = |name: &str, value: &str| var(name).is_ok_and(|it| it == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && is("PROFILE", "release") {
        writeln!(out, "cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs")?;
        // Cargo links where the workspace lies. A place that began at the root would be wrong once the clone has moved with what was built.
        writeln!(out, "cargo:rustc-link-arg-bins=-Wl,-T,src/linking/order.ld")?;
    }
    Ok(())
}
