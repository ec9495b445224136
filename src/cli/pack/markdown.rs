//! The pack as Markdown (`CommonMark` with tables). Every character that means something there is escaped.

use crate::control::pack::sheet::Block;
use crate::model::text::Text;

/// Writes a sheet as Markdown.
pub fn markdown(sheet: &[Block]) -> String {
    let mut out = String::new();
    for block in sheet {
        match block {
            Block::Title(text) => push(&mut out, &format!("# {}", plain(text))),
            Block::Section(text) => push(&mut out, &format!("\n## {}", plain(text))),
            Block::Change(text) => push(&mut out, &format!("\n### {}", plain(text))),
            Block::Say(text) => push(&mut out, &format!("\n{}", plain(text))),
            Block::Fields(fields) => {
                push(&mut out, "");
                for (name, value) in fields {
                    push(&mut out, &format!("- **{name}**: {}", plain(value)));
                }
            }
            Block::List(name, items) => {
                push(&mut out, &format!("\n**{name}**\n"));
                for item in items {
                    push(&mut out, &format!("- {}", plain(item)));
                }
            }
            Block::Table(name, heads, rows) => {
                push(&mut out, &format!("\n**{name}**\n"));
                push(&mut out, &format!("| {} |", heads.join(" | ")));
                push(&mut out, &format!("|{}", " --- |".repeat(heads.len())));
                for row in rows {
                    let cells: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
                    push(&mut out, &format!("| {} |", cells.join(" | ")));
                }
            }
        }
    }
    out
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

/// A text that shows itself and nothing else: one line, no markup, no HTML, no cell's end, no entity, no link.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let clean = Text::clean(text);
    for (place, letter) in clean.as_str().char_indices() {
        let begins_block = place == 0 && matches!(letter, '+' | '-' | '=' | '.' | ')' | '0'..='9');
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' => out.push_str("&#124;"),
            // An address would become a link by itself.
            ':' if clean.as_str().get(place..).is_some_and(|rest| rest.starts_with("://")) => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(letter);
            }
            '+' | '-' | '=' if begins_block => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_shows_itself_and_nothing_else() {
        let hostile = "<script>alert(1)</script> | `x` **b** [a](javascript:1) \u{202e}fed http://evil.example &lt; # ~~ !";
        let sheet = [
            Block::Fields(vec![("reason", hostile.to_owned())]),
            Block::Table("t", vec!["one", "two"], vec![vec![hostile.to_owned(), "x\ny".to_owned()]]),
            Block::List("l", vec!["- item".to_owned(), "# head".to_owned()]),
        ];
        let out = markdown(&sheet);
        for wrong in ["<script", "`x`\u{0}", " | `", "**b**", "[a](", "\u{202e}", "http://", "&lt; #"] {
            assert!(!out.contains(wrong), "{wrong}:\n{out}");
        }
        // A row has as many cells as its head.
        let rows: Vec<usize> = out.lines().filter(|line| line.starts_with('|')).map(|line| line.matches('|').count()).collect();
        assert_eq!(rows, [3, 3, 3], "{out}");
        assert!(out.contains("- \\- item") && out.contains("- \\# head"), "{out}");
    }
}
