//! A ServiceNow, calendars on the web and receivers of notices, all hostile.

use serde_json::{Value, json};

use super::stand_in::{brief, in_line, said};

/// A media type that HTTP lets through.
pub const MEDIA: &str = "media-says/\u{9b}31m\u{202e}gnp\u{200b}";

/// A ServiceNow that forgets everything: each change is new, and goes wherever it is led. The one that is stuck lets it go nowhere.
pub fn servicenow(desk: &str, method: &str, path: &str, request: &str) -> Option<Value> {
    let told = said(&format!("{desk}-says"));
    let field = |value: &str| json!({"value": value, "display_value": told});
    let change = |state: &str| {
        json!({"result": {
            "sys_id": field(&brief("id")), "number": field(&told), "state": field(state), "short_description": field(&told), told.clone(): told,
        }})
    };
    let now = if desk == "stuck" { "-3" } else { "-5" };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Some(match method {
        "GET" if path.ends_with("/nextstate") && desk == "stuck" => json!({"result": {"available_states": [told, "-3"]}}),
        "GET" if path.ends_with("/nextstate") => json!({"result": {"available_states": [told, "-1", "3", "4"]}}),
        // Another hand's change of the same plan.
        "GET" if query.contains("correlation_id") => {
            let plan = query.split('&').next()?.rsplit("%3D").next()?;
            json!({"result": [{"correlation_id": field(plan), "correlation_display": field(&told), "number": field(&told)}]})
        }
        // The change of a number that somebody named, and whatever else it says of itself.
        "GET" if query.contains("number%3D") => {
            let asked = query.split("number%3D").nth(1)?.split('&').next()?;
            let mut found = change(now);
            found["result"]["number"] = json!({"value": asked, "display_value": told});
            json!({"result": [found["result"]]})
        }
        "GET" | "POST" => change(now),
        "PATCH" => {
            let body: Value = serde_json::from_str(request.split_once("\r\n\r\n")?.1).ok()?;
            change(body["state"].as_str().unwrap_or(now))
        }
        _ => return None,
    })
}

/// How a ServiceNow says no: what it did not do, and beside it why.
pub fn refusal(desk: &str) -> Value {
    json!({"error": {"message": brief("Operation Failed"), "detail": said(&format!("{desk}-says"))}, "status": said("failure")})
}

/// A calendar that can be read but for one event, one that ends before its end, and one under a media type of its own.
pub fn calendar(name: &str) -> Value {
    let told = in_line(&said(&format!("{name}-says")));
    let event = |lines: &str| format!("BEGIN:VEVENT\r\nUID:{told}\r\nSUMMARY:{told}\r\nCATEGORIES:{told}\r\n{lines}\r\nEND:VEVENT\r\n");
    let inner = match name {
        "page" => format!("END:{told}\r\n"),
        _ => {
            event("DTSTART:20260401T100000Z\r\nDURATION:PT1H")
                + &event(&format!("DTSTART;TZID=\"{told}\":20260401T100000\r\nDURATION:PT1H"))
        }
    };
    Value::String(format!("BEGIN:VCALENDAR\r\nX-NAME:{told}\r\n{inner}END:VCALENDAR\r\n"))
}

/// A receiver of notices that answers well; one of OTLP says in a good answer that it rejected them.
pub fn receiver(name: &str, method: &str) -> Value {
    let told = said(&format!("{name}-says"));
    match (name, method) {
        ("grafana", "GET") => json!([{"id": told, "text": told, "tags": [told]}]),
        ("otlp", _) => json!({"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": told}}),
        _ => json!({"message": told, "id": told, "error": told}),
    }
}
