//! The pack as one HTML file: no script, nothing from elsewhere, readable when printed. Every text is escaped.

use crate::control::pack::sheet::Block;
use crate::model::text::Text;

/// The looks: dark on light, so that a printer needs nothing else; a change is kept on one page where it fits.
const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;color:#111;background:#fff;max-width:62rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.2rem;border-bottom:2px solid #111;margin-top:2.2rem}\
h3{font-size:1.05rem;border-top:1px solid #767676;padding-top:.8rem;margin-top:1.8rem}\
dl{display:grid;grid-template-columns:14rem 1fr;gap:.15rem 1rem;margin:.4rem 0}dt{color:#555}dd{margin:0;overflow-wrap:anywhere}\
table{border-collapse:collapse;width:100%;margin:.4rem 0}caption{text-align:left;color:#555;padding:.3rem 0}\
th,td{border:1px solid #aaa;padding:.2rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#eee}\
ul{margin:.2rem 0}p.name{color:#555;margin:.5rem 0 0}\
@media print{body{margin:0;max-width:none;font-size:11px}h3,tr,li{break-inside:avoid}h2,h3,caption{break-after:avoid}}";

/// Writes a sheet as HTML.
pub fn html(sheet: &[Block]) -> String {
    let title = sheet.iter().find_map(|block| if let Block::Title(text) = block { Some(text.as_str()) } else { None }).unwrap_or_default();
    let mut out = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    for piece in ["<title>", &plain(title), "</title>\n<style>", STYLE, "</style>\n</head>\n<body>\n"] {
        out.push_str(piece);
    }
    for block in sheet {
        out.push_str(&piece(block));
        out.push('\n');
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn piece(block: &Block) -> String {
    match block {
        Block::Title(text) => format!("<h1>{}</h1>", plain(text)),
        Block::Section(text) => format!("<h2>{}</h2>", plain(text)),
        Block::Change(text) => format!("<h3>{}</h3>", plain(text)),
        Block::Say(text) => format!("<p>{}</p>", plain(text)),
        Block::Fields(fields) => {
            let all = fields.iter().map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>", plain(name), plain(value)));
            format!("<dl>{}</dl>", joined(all))
        }
        Block::List(name, items) => {
            let all = items.iter().map(|item| format!("<li>{}</li>", plain(item)));
            format!("<p class=\"name\">{}</p>\n<ul>{}</ul>", plain(name), joined(all))
        }
        Block::Table(name, heads, rows) => {
            let heads = joined(heads.iter().map(|head| format!("<th scope=\"col\">{}</th>", plain(head))));
            let row = |row: &Vec<String>| joined(row.iter().map(|cell| format!("<td>{}</td>", plain(cell))));
            let rows = joined(rows.iter().map(|cells| format!("<tr>{}</tr>\n", row(cells))));
            format!("<table><caption>{}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table>", plain(name))
        }
    }
}

fn joined(pieces: impl Iterator<Item = String>) -> String {
    pieces.collect()
}

/// A text that shows itself and nothing else.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in Text::clean(text).as_str().chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_never_markup() {
        let hostile = "<script>alert(1)</script>\"><img src=x onerror='y'> \u{202e}fed &lt; </td></table>";
        let all = [
            Block::Title(hostile.to_owned()),
            Block::Section(hostile.to_owned()),
            Block::Change(hostile.to_owned()),
            Block::Say(hostile.to_owned()),
            Block::Fields(vec![("reason", hostile.to_owned())]),
            Block::List("l", vec![hostile.to_owned()]),
            Block::Table("t", vec!["one"], vec![vec![hostile.to_owned()]]),
        ];
        let out = html(&all);
        for wrong in ["<script", "<img", "onerror='", "\u{202e}", "\">", "</td></table><"] {
            let allowed = if wrong == "\">" { ["utf-8\">", "inline'\">", "en\">", "name\">", "col\">"].as_slice() } else { &[] };
            let rest = allowed.iter().fold(out.clone(), |out, allowed| out.replace(allowed, ""));
            assert!(!rest.contains(wrong), "{wrong}:\n{out}");
        }
        for tag in ["html", "head", "body", "table", "tbody", "thead", "dl", "ul", "h1", "h2", "h3"] {
            let (opened, closed) = (out.matches(&format!("<{tag}>")).count(), out.matches(&format!("</{tag}>")).count());
            assert_eq!(opened + out.matches(&format!("<{tag} ")).count(), closed, "{tag}:\n{out}");
        }
        assert!(out.contains("&amp;lt;"), "what looks escaped is escaped again:\n{out}");
    }
}
