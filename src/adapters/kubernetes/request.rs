//! A request as `kube` spells it, in the parts that our client sends.

use kube::core::params::{GetParams, ListParams, Patch, PatchParams, ValidationDirective};
use kube::core::{DynamicObject, Request, Resource as _};
use serde_json::Value;

use super::kind::Kind;
use super::object::Place;

/// Who wrote, as the objects' `managedFields` tell.
const MANAGER: &str = "gonogo";

/// A request, ready to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spelled {
    /// The path.
    pub(super) path: String,
    /// The query, decoded.
    pub(super) query: Vec<(String, String)>,
}

fn spelled(uri: &str) -> Spelled {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let decoded = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    });
    Spelled { path: path.to_owned(), query: decoded.collect() }
}

/// As a query writes text: `+` for a space, `%XX` for a byte.
fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let code = std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
                out.push(code.unwrap_or(b'?'));
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn of(kind: Kind, namespace: &str) -> Request {
    Request::new(DynamicObject::url_path(&kind.resource(), Some(namespace)))
}

/// Reads one.
pub(super) fn get(kind: Kind, place: &Place) -> Result<Spelled, String> {
    let request = of(kind, &place.namespace).get(&place.name, &GetParams::default());
    request.map(|request| spelled(&request.uri().to_string())).map_err(|error| error.to_string())
}

/// Which of a kind are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum By<'a> {
    /// Those that bear labels; all where none are named.
    Labels(&'a str),
    /// Those whose fields are so, of the few by which a kind can be asked for.
    Fields(&'a str),
}

/// Reads a page of them.
pub(super) fn list(kind: Kind, namespace: &str, by: By<'_>, more: Option<&str>) -> Result<Spelled, String> {
    let mut params = ListParams::default().limit(500);
    params = match by {
        By::Labels("") => params,
        By::Labels(labels) => params.labels(labels),
        By::Fields(fields) => params.fields(fields),
    };
    if let Some(more) = more {
        params = params.continue_token(more);
    }
    let request = of(kind, namespace).list(&params);
    request.map(|request| spelled(&request.uri().to_string())).map_err(|error| error.to_string())
}

/// Which part of an object is changed: kinds that keep a status apart take it by a path of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Everything but that.
    Whole,
    /// The status.
    Status,
}

/// How an object is changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// By a JSON patch (RFC 6902).
    Json(Value),
    /// By a JSON merge patch (RFC 7386).
    Merge(Value),
    /// By the API's own patch, which merges lists by their keys; for the kinds that Kubernetes itself has.
    Strategic(Value),
}

impl Change {
    /// What is sent: its media type and its body.
    pub(super) fn body(&self) -> (&'static str, &Value) {
        match self {
            Self::Json(value) => ("application/json-patch+json", value),
            Self::Merge(value) => ("application/merge-patch+json", value),
            Self::Strategic(value) => ("application/strategic-merge-patch+json", value),
        }
    }

    /// As `kubectl patch --type` calls it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Json(_) => "json",
            Self::Merge(_) => "merge",
            Self::Strategic(_) => "strategic",
        }
    }
}

/// Changes one, or with `dry` asks what would become of it.
pub(super) fn patch(kind: Kind, place: &Place, part: Part, dry: bool) -> Result<Spelled, String> {
    let params = PatchParams {
        dry_run: dry,
        field_manager: Some(MANAGER.to_owned()),
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::default()
    };
    // Of the patch itself only its media type would count, and that is said by `Change`.
    let (request, none) = (of(kind, &place.namespace), Patch::Merge(Value::Null));
    let request = match part {
        Part::Whole => request.patch(&place.name, &params, &none),
        Part::Status => request.patch_subresource("status", &place.name, &params, &none),
    };
    request.map(|request| spelled(&request.uri().to_string())).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_spelled_as_the_api_wants_them() {
        let place = Place { namespace: "shop".to_owned(), name: "checkout".to_owned() };
        let route = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/checkout";
        assert_eq!(get(Kind::HttpRoute, &place).unwrap(), Spelled { path: route.to_owned(), query: Vec::new() });
        let patch = patch(Kind::HttpRoute, &place, Part::Whole, true).unwrap();
        let query: Vec<(&str, &str)> = patch.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(patch.path, route);
        for pair in [("dryRun", "All"), ("fieldManager", "gonogo"), ("fieldValidation", "Strict")] {
            assert!(query.contains(&pair), "{query:?}");
        }
        let list = list(Kind::Pod, "shop", By::Labels("app=a,version=v 2"), Some("x+/=")).unwrap();
        assert_eq!(list.path, "/api/v1/namespaces/shop/pods");
        for pair in [("labelSelector", "app=a,version=v 2"), ("continue", "x+/="), ("limit", "500")] {
            assert!(list.query.contains(&(pair.0.to_owned(), pair.1.to_owned())), "{:?}", list.query);
        }
    }
}
