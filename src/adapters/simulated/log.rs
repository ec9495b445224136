//! The logs of simulated steps: each line follows from the step, its number and how the step ends, so nothing is stored.

/// Lines that a step writes each second.
pub(super) const RATE: u64 = 3;

/// One line of the log of the step `name`; `failed` for the last line of a step that fails.
pub(super) fn line(name: &str, number: u64, about: &str, failed: bool) -> String {
    if failed {
        return match name {
            "test" => format!("test {about}::keeps_its_promise ... FAILED; error: 1 test failed"),
            _ => format!("error: {name} of {about} failed"),
        };
    }
    let turn = number % 5;
    match name {
        "checkout" => match turn {
            0 => format!("fetching {about}"),
            1 => format!("receiving objects: {} %", (number * 7).min(100)),
            _ => format!("resolving deltas: {number}"),
        },
        "compile" => format!("compiling {about} ({number} units done)"),
        "test" => format!("test {about}::case_{number:03} ... ok"),
        "package" => format!("layer {number} of {about} written"),
        "publish" => format!("pushed part {number} of {about}"),
        "fetch" => format!("fetching image of {about}: {} MB", number * 4 + 1),
        "replace" => match turn {
            0 => format!("draining one server of {about}"),
            1 => "starting the new process".to_owned(),
            _ => format!("waiting for it to answer ({number})"),
        },
        "health" => format!("GET /healthz of {about}: 200 ({number})"),
        other => format!("{other}: line {number}"),
    }
}
