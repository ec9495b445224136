//! The form of a file: what it is for in its first line, its length, no silenced lint, nothing left for later.

use syn::visit::{self, Visit};

use super::source::{Source, Tree};

/// Lines that a file may have without a written reason.
const LINES: usize = 500;
/// The lines in which the reason for a longer file must stand.
const TOP: usize = 20;

/// Files without the form of the house.
pub fn form(tree: &Tree) -> Vec<String> {
    tree.sources.iter().flat_map(|source| head(source).into_iter().chain(length(source)).chain(marks(source))).collect()
}

fn head(source: &Source) -> Option<String> {
    let head: Vec<&str> = source.text.lines().map_while(|line| line.strip_prefix("//! ")).collect();
    let sentence = head.iter().any(|line| line.contains(". ") || line.ends_with(['.', '?', ':', ';']));
    (!sentence).then(|| format!("{}: begins without a sentence; let line 1 be `//! What this file is for.`", source.path))
}

fn length(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    let reason = source.text.lines().take(TOP).any(|line| line.strip_prefix("// long because: ").is_some_and(|why| why.trim().len() > 10));
    (lines > LINES && !reason).then(|| {
        format!("{}: {lines} lines, more than {LINES}; split it by what it names, or write `// long because: ..` near its top", source.path)
    })
}

fn marks(source: &Source) -> Vec<String> {
    let mut marks = Marks { found: Vec::new() };
    marks.visit_file(&source.syntax);
    marks.found.into_iter().map(|what| format!("{}: {what}", source.path)).collect()
}

struct Marks {
    found: Vec<&'static str>,
}

impl Marks {
    fn tokens(&mut self, tokens: &str) {
        if ["todo !", "unimplemented !"].iter().any(|left| tokens.contains(left)) {
            self.found.push(LATER);
        }
        if tokens.contains("# [allow (") || tokens.contains("#[allow(") {
            self.found.push(ALLOW);
        }
    }
}

const ALLOW: &str = "a lint is silenced with `allow`; use `#[expect(lint, reason = \"why\")]`, which ends when the reason does";
const LATER: &str = "something is left for later (`todo` or `unimplemented`); finish it or leave it out";

impl<'a> Visit<'a> for Marks {
    fn visit_attribute(&mut self, attribute: &'a syn::Attribute) {
        let hidden = match &attribute.meta {
            syn::Meta::List(list) if list.path.is_ident("cfg_attr") => list.tokens.to_string().contains("allow"),
            syn::Meta::List(_) | syn::Meta::Path(_) | syn::Meta::NameValue(_) => false,
        };
        if attribute.path().is_ident("allow") || hidden {
            self.found.push(ALLOW);
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_macro(&mut self, mac: &'a syn::Macro) {
        let last = mac.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        if last == "todo" || last == "unimplemented" {
            self.found.push(LATER);
        }
        self.tokens(&mac.tokens.to_string());
        visit::visit_macro(self, mac);
    }
}
