//! `slo_files`: objectives that stand in files of Sloth and of `OpenSLO`.

mod openslo;
mod sloth;

use std::path::PathBuf;

use super::super::file::Fields;
use super::super::node::{Node, Table, Value};
use super::super::problem::{At, Findings};
use super::super::yaml;
use super::slo::{self, Around};
use crate::model::catalog::BackendKind;
use crate::model::name::{BackendName, EnvironmentName, ServiceName};
use crate::model::objective::{Objective, Period};

pub(super) const FILE: &[&str] = &["file", "service", "environment", "backend", "window"];
/// The longest file in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// What the configuration says about a file beside its name.
struct Frame {
    at: At,
    /// In place of the service that the file names.
    service: Option<ServiceName>,
    environment: Option<EnvironmentName>,
    backend: Option<BackendName>,
    period: Period,
}

/// One document of a file.
struct Document {
    frame: usize,
    at: At,
    table: Table<'static>,
}

/// All objectives of all files.
pub(super) fn objectives(nodes: &[Node], around: &Around<'_>, found: &mut Findings) -> Vec<(At, Objective)> {
    let (mut frames, mut documents) = (Vec::new(), Vec::new());
    for node in nodes {
        let Some((frame, path)) = frame(node, around, found) else { continue };
        let Some(nodes) = read(frame.at, &path, found) else { continue };
        for document in nodes {
            let Node { at, value: Value::Table(table) } = document else {
                found.problem(document.at, "a document is no table", "an objective of Sloth or OpenSLO");
                continue;
            };
            documents.push(Document { frame: frames.len(), at, table });
        }
        frames.push(frame);
    }
    // An objective of `OpenSLO` may refer to an indicator of another file.
    let indicators: Vec<(&str, &Document)> = documents.iter().filter_map(openslo::indicator).collect();
    let mut all = Vec::new();
    for document in &documents {
        let Some(frame) = frames.get(document.frame) else { continue };
        let word = |key: &str| text(&document.table, key).unwrap_or_default();
        match (word("version"), word("apiVersion"), word("kind")) {
            ("prometheus/v1", _, _) => all.extend(sloth::plain(document, frame, around, found)),
            (_, "sloth.slok.dev/v1", "PrometheusServiceLevel") => all.extend(sloth::resource(document, frame, around, found)),
            (_, "openslo/v1", "SLO") => all.extend(openslo::slo(document, &indicators, frame, around, found)),
            // These say nothing that an objective needs, or were taken above.
            (_, "openslo/v1", "SLI" | "Service" | "DataSource" | "AlertPolicy" | "AlertCondition" | "AlertNotificationTarget") => {}
            (_, "openslo/v1alpha", _) => found.problem(document.at, "a document of OpenSLO v1alpha", "`apiVersion: openslo/v1`"),
            (_, _, _) => found.problem(
                document.at,
                "a document is neither of Sloth nor of OpenSLO",
                "`version: prometheus/v1`, `apiVersion: sloth.slok.dev/v1` with `kind: PrometheusServiceLevel`, or `apiVersion: openslo/v1`",
            ),
        }
    }
    all
}

fn frame(node: &Node, around: &Around<'_>, found: &mut Findings) -> Option<(Frame, PathBuf)> {
    let only = || around.known.only(BackendKind::Prometheus).and_then(|name| BackendName::new(name).ok());
    if let Value::Text(_) = &node.value {
        let path = node.path("slo_files", found)?;
        return Some((Frame { at: node.at, service: None, environment: None, backend: only(), period: slo::PERIOD }, path));
    }
    let fields = Fields::open(node, "an entry of `slo_files`", FILE, found)?;
    let path = fields.required("file", "`file = \"..\"`", found)?.path("file", found)?;
    let service = fields.get("service").and_then(|node| around.known.service(node.at, node.text("service", found)?, found));
    let environment = fields.get("environment").and_then(|node| around.known.environment(node.at, node.text("environment", found)?, found));
    let backend = match fields.get("backend") {
        Some(_) => around.known.backend(&fields, &[BackendKind::Prometheus], found).map(|(name, _)| name),
        None => only(),
    };
    let period = fields.get("window").and_then(|node| slo::period(node, found)).unwrap_or(slo::PERIOD);
    Some((Frame { at: node.at, service, environment, backend, period }, path))
}

fn read(at: At, path: &std::path::Path, found: &mut Findings) -> Option<Vec<Node<'static>>> {
    let bytes = std::fs::metadata(path)
        .and_then(|about| if about.len() > LONGEST { Err(std::io::Error::other("it is longer than 4 MiB")) } else { std::fs::read(path) });
    let text = match bytes.map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            found.problem(at, &format!("`{}` is no UTF-8", path.display()), "text in UTF-8");
            return None;
        }
        Err(error) => {
            found.problem(at, &format!("`{}` cannot be read: {error}", path.display()), "a file of Sloth or OpenSLO");
            return None;
        }
    };
    let directory = path.parent().unwrap_or(std::path::Path::new("/")).to_owned();
    let start = found.source(&path.display().to_string(), &directory, text.clone());
    yaml::parse(&text, start, found)
}

impl Frame {
    /// The service and the environments of an objective; the service as the file names it unless the configuration says otherwise.
    fn whose(&self, node: Option<&Node>, around: &Around<'_>, found: &mut Findings) -> Option<(ServiceName, Vec<EnvironmentName>)> {
        let service = match (&self.service, node) {
            (Some(service), _) => service.clone(),
            (None, Some(node)) => around.known.service(node.at, node.text("service", found)?, found)?,
            (None, None) => {
                found.problem(self.at, "an objective in the file names no service", "`service` in the file, or beside `file`");
                return None;
            }
        };
        let environments = match &self.environment {
            Some(environment) => vec![environment.clone()],
            None => around.deployed(self.at, &service, found),
        };
        Some((service, environments))
    }

    fn backend(&self, found: &mut Findings) -> Option<BackendName> {
        if self.backend.is_none() {
            found.problem(
                self.at,
                "it is not said which Prometheus measures the objectives of this file",
                "`{ file = \"..\", backend = \"..\" }`",
            );
        }
        self.backend.clone()
    }
}

/// A string of a table.
fn text<'a>(table: &'a Table<'a>, key: &str) -> Option<&'a str> {
    match &table.get(key)?.value {
        Value::Text(text) => Some(text),
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) | Value::Table(_) => None,
    }
}

/// A table of a table.
fn table<'a>(table: &'a Table<'a>, key: &str) -> Option<&'a Table<'a>> {
    match &table.get(key)?.value {
        Value::Table(table) => Some(table),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Date | Value::List(_) => None,
    }
}

/// A query with the window as Sloth writes it.
fn windowed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let inner = after.split_once("}}").filter(|(inner, _)| inner.trim() == ".window");
        out.push_str(before);
        if let Some((_, behind)) = inner {
            out.push_str("$window");
            rest = behind;
        } else {
            out.push_str("{{");
            rest = after;
        }
    }
    out.push_str(rest);
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::windowed;

    #[test]
    fn the_window_of_sloth_is_ours() {
        assert_eq!(windowed(" rate(a[{{.window}}]) / rate(b[{{ .window }}])\n"), "rate(a[$window]) / rate(b[$window])");
        assert_eq!(windowed("{{.other}} x{{"), "{{.other}} x{{");
    }
}
