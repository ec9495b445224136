//! Every path that a source mentions in code outside its tests, resolved to where it leads.

use std::collections::BTreeMap;

use quote_free::words;
use syn::visit::{self, Visit};

use super::source::{Source, Tree};

/// A path that stands in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Where it leads: into the crate (without `crate`), or out of it (the crate's name first).
    pub leads: Leads,
    /// As it was written, for the message.
    pub written: String,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leads {
    /// Into this crate.
    Inside(Vec<String>),
    /// Into another crate.
    Outside(Vec<String>),
}

impl Mention {
    /// The path's words.
    pub fn words(&self) -> &[String] {
        match &self.leads {
            Leads::Inside(words) | Leads::Outside(words) => words,
        }
    }
}

/// All mentions of a source, its tests left out.
pub fn paths(tree: &Tree, source: &Source) -> Vec<Mention> {
    if tree.is_test(source) {
        return Vec::new();
    }
    let mut collector = Collector { inline: Vec::new(), raw: Vec::new() };
    collector.visit_file(&source.syntax);
    let mut names = BTreeMap::new();
    for raw in &collector.raw {
        if let Some(name) = &raw.binds {
            names.insert(name.clone(), raw.clone());
        }
    }
    collector.raw.iter().map(|raw| resolve(tree, source, &names, raw, 0)).collect()
}

#[derive(Debug, Clone)]
struct Raw {
    words: Vec<String>,
    absolute: bool,
    inline: Vec<String>,
    /// The name that a `use` gives to it.
    binds: Option<String>,
}

fn resolve(tree: &Tree, source: &Source, names: &BTreeMap<String, Raw>, raw: &Raw, depth: u8) -> Mention {
    let written = raw.words.join("::");
    let here: Vec<String> = source.module.iter().chain(&raw.inline).cloned().collect();
    let Some(first) = raw.words.first() else { return Mention { leads: Leads::Inside(here), written } };
    let rest = &raw.words[1..];
    let inside = |base: &[String], rest: &[String]| Leads::Inside(base.iter().chain(rest).cloned().collect());
    let leads = match first.as_str() {
        _ if raw.absolute => Leads::Outside(raw.words.clone()),
        "crate" | "gonogo" => inside(&[], rest),
        "self" => inside(&here, rest),
        "super" => {
            let ups = raw.words.iter().take_while(|word| *word == "super").count();
            inside(&here[..here.len().saturating_sub(ups)], &raw.words[ups..])
        }
        name => {
            let child: Vec<String> = here.iter().cloned().chain([name.to_owned()]).collect();
            let known = names.get(name).filter(|known| known.words != raw.words && depth < 8);
            if let Some(known) = known {
                let words = known.words.iter().chain(rest).cloned().collect();
                let longer = Raw { words, absolute: known.absolute, inline: known.inline.clone(), binds: None };
                resolve(tree, source, names, &longer, depth + 1).leads
            } else if tree.modules.contains(&child) {
                inside(&here, &raw.words)
            } else {
                Leads::Outside(raw.words.clone())
            }
        }
    };
    Mention { leads, written }
}

struct Collector {
    inline: Vec<String>,
    raw: Vec<Raw>,
}

impl Collector {
    fn add(&mut self, words: Vec<String>, absolute: bool, binds: Option<String>) {
        self.raw.push(Raw { words, absolute, inline: self.inline.clone(), binds });
    }

    fn tree(&mut self, before: &[String], absolute: bool, tree: &syn::UseTree) {
        let with = |name: &syn::Ident| before.iter().cloned().chain([plain(name)]).collect::<Vec<_>>();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), absolute, &path.tree),
            syn::UseTree::Name(name) if name.ident == "self" => self.add(before.to_vec(), absolute, before.last().cloned()),
            syn::UseTree::Name(name) => self.add(with(&name.ident), absolute, Some(plain(&name.ident))),
            syn::UseTree::Rename(rename) if rename.ident == "self" => self.add(before.to_vec(), absolute, Some(plain(&rename.rename))),
            syn::UseTree::Rename(rename) => self.add(with(&rename.ident), absolute, Some(plain(&rename.rename))),
            syn::UseTree::Glob(_) => self.add(before.to_vec(), absolute, None),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, absolute, item)),
        }
    }

    fn tokens(&mut self, tokens: &str) {
        for path in words(tokens) {
            self.add(path, false, None);
        }
    }
}

impl<'a> Visit<'a> for Collector {
    fn visit_item(&mut self, item: &'a syn::Item) {
        if !attributes(item).iter().any(is_test) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'a syn::ImplItem) {
        let attributes = match item {
            syn::ImplItem::Fn(item) => item.attrs.as_slice(),
            syn::ImplItem::Const(item) => item.attrs.as_slice(),
            _ => &[],
        };
        if !attributes.iter().any(is_test) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        self.inline.push(plain(&item.ident));
        visit::visit_item_mod(self, item);
        self.inline.pop();
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.tree(&[], item.leading_colon.is_some(), &item.tree);
    }

    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}

    fn visit_expr_path(&mut self, path: &'a syn::ExprPath) {
        if let (Some(this), true) = (&path.qself, path.path.segments.len() == 1) {
            self.visit_type(&this.ty);
            self.add(vec!["<..>".to_owned(), plain(&path.path.segments[0].ident)], true, None);
        } else {
            visit::visit_expr_path(self, path);
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        if path.segments.len() > 1 {
            let words = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
            self.add(words, path.leading_colon.is_some(), None);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'a syn::Macro) {
        self.tokens(&mac.tokens.to_string());
        visit::visit_macro(self, mac);
    }

    fn visit_attribute(&mut self, attribute: &'a syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(&list.tokens.to_string());
        }
        visit::visit_attribute(self, attribute);
    }
}

fn plain(ident: &syn::Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

/// Whether an attribute keeps an item for tests.
pub fn is_test(attribute: &syn::Attribute) -> bool {
    if attribute.path().is_ident("test") {
        return true;
    }
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let tokens = list.tokens.to_string();
    list.path.is_ident("cfg") && (tokens == "test" || (tokens.starts_with("all") && tokens.contains("test") && !tokens.contains("not")))
}

/// The attributes of an item.
pub fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Paths of two words and more in the text of tokens, where `syn` sees no syntax: inside macros and attributes.
mod quote_free {
    /// The paths, strings and characters left out.
    pub fn words(tokens: &str) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        let mut path: Vec<String> = Vec::new();
        let mut joined = false;
        for token in split(tokens) {
            if token == "::" {
                joined = true;
                continue;
            }
            let is_word = token.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_');
            if !(is_word && joined) {
                found.push(std::mem::take(&mut path));
            }
            if is_word {
                path.push(token.trim_start_matches("r#").to_owned());
            }
            joined = false;
        }
        found.push(path);
        found.retain(|path| path.len() > 1);
        found
    }

    fn split(tokens: &str) -> Vec<String> {
        let chars: Vec<char> = tokens.chars().collect();
        let mut found = Vec::new();
        let mut at = 0;
        while at < chars.len() {
            let start = at;
            let char = chars[at];
            if char.is_alphanumeric() || char == '_' {
                while at < chars.len() && (chars[at].is_alphanumeric() || chars[at] == '_') {
                    at += 1;
                }
                found.push(chars[start..at].iter().collect());
            } else if char == '"' {
                at += 1;
                while at < chars.len() && chars[at] != '"' {
                    at += if chars[at] == '\\' { 2 } else { 1 };
                }
                at += 1;
                found.push("\"".to_owned());
            } else if char == ':' && chars.get(at + 1) == Some(&':') {
                at += 2;
                found.push("::".to_owned());
            } else {
                at += 1;
                if !char.is_whitespace() {
                    found.push(char.to_string());
                }
            }
        }
        found
    }
}
