# Short names for the commands of the house; each also works by hand. List them with `just --list`.

# The room on the simulated train.
room:
    cargo run --release

# All tests, with the servers that they need.
test *ARGS:
    tests/all {{ARGS}}

# Everything that must hold before a change lands.
ci:
    .ci/run

# The floors and the house rules alone: seconds, no server.
floors:
    cargo test --test it floors tidy

# Form and lints.
lint:
    cargo fmt
    cargo clippy --all-targets -- -D warnings

# The book of the house: ARCHITECTURE.md first.
doc:
    cargo doc --no-deps --open
