//! Just enough of Markdown to check links: targets, anchors of headings, and where a target leads.

use std::collections::{BTreeMap, BTreeSet};

/// A link, image or reference definition.
#[derive(Debug, PartialEq)]
pub struct Link {
    /// As written.
    pub target: String,
    /// From 1.
    pub line: usize,
}

/// Lines, numbered from 1, outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(line, content)| {
        let trimmed = content.trim_start();
        let marks = trimmed.len() - trimmed.trim_start_matches(['`', '~']).len();
        let (mark, rest) = trimmed.split_at(marks);
        match fence {
            Some(open) => {
                if mark.starts_with(open) && rest.trim().is_empty() {
                    fence = None;
                }
                None
            }
            None if marks >= 3 && !rest.contains('`') => {
                fence = Some(mark);
                None
            }
            None => Some((line + 1, content)),
        }
    })
}

/// Every link of a page, outside code.
pub fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for (line, content) in prose(text) {
        let content = without_code(content);
        let starts = ["](", "href=\"", "src=\""];
        let inline = starts.iter().flat_map(|start| {
            let found = content.match_indices(start);
            found.map(|(at, _)| target(&content[at + start.len()..]))
        });
        let definition = definition(&content).map(target);
        links.extend(inline.chain(definition).map(|target| Link {
            target: target.to_owned(),
            line,
        }));
    }
    links
}

/// The text after `[name]:` at the start of a line; a footnote is none.
fn definition(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('[')?;
    let (name, target) = rest.split_once("]:")?;
    (!name.starts_with('^') && !name.contains(']')).then(|| target.trim_start())
}

/// The target at the start of `text`: between `<` and `>`, or up to a blank, a quote or the closing parenthesis.
fn target(text: &str) -> &str {
    if let Some(inner) = text.strip_prefix('<') {
        return inner.split('>').next().unwrap_or(inner);
    }
    let mut depth = 0;
    let end = text.find(|c: char| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth < 0 || c == '"' || c.is_whitespace()
    });
    &text[..end.unwrap_or(text.len())]
}

/// A line with its code spans blanked.
fn without_code(line: &str) -> String {
    let mut kept = String::new();
    let mut rest = line;
    while let Some(open) = rest.find('`') {
        let (before, from) = rest.split_at(open);
        kept += before;
        let marks = from.len() - from.trim_start_matches('`').len();
        let inner = &from[marks..];
        rest = match closing(inner, marks) {
            Some(end) => &inner[end..],
            None => {
                kept += &from[..marks];
                inner
            }
        };
    }
    kept + rest
}

/// The place after the run of exactly `marks` backticks that closes a code span.
fn closing(text: &str, marks: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let start = at + found;
        let run = text[start..].len() - text[start..].trim_start_matches('`').len();
        at = start + run;
        if run == marks {
            return Some(at);
        }
    }
    None
}

/// The anchors of a page: one per heading, as GitHub and mdBook name them, and those set by hand.
pub fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut seen = BTreeMap::<String, usize>::new();
    for (_, line) in prose(text) {
        for start in ["id=\"", "name=\""] {
            let ids = line.split(start).skip(1);
            anchors.extend(ids.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
        let Some(title) = heading(line) else { continue };
        if let Some((_, id)) = title
            .trim_end()
            .strip_suffix('}')
            .and_then(|t| t.rsplit_once("{#"))
        {
            anchors.insert(id.to_owned());
            continue;
        }
        let slug = slug(title);
        let count = seen.entry(slug.clone()).or_default();
        anchors.insert(match count {
            0 => slug,
            _ => format!("{slug}-{count}"),
        });
        *count += 1;
    }
    anchors
}

fn heading(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    let title = rest.strip_prefix(' ')?;
    (1..=6)
        .contains(&level)
        .then(|| title.trim().trim_end_matches('#').trim())
}

/// A heading's anchor: lower case, blanks as `-`, no punctuation but `-` and `_`, of a link only its text.
fn slug(title: &str) -> String {
    let mut shown = String::new();
    let mut rest = title;
    while let Some((before, after)) = rest.split_once("](") {
        shown += before;
        rest = after.split_once(')').map_or("", |(_, tail)| tail);
    }
    shown += rest;
    let kept = shown
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Whether a target leads out of the repository: `https:`, `mailto:` and the like.
pub fn is_external(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|s| {
        !s.is_empty()
            && s.chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// The path, from the root folder, that `relative` means on the page at `page`. None if it leaves the root.
pub fn resolve(page: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<(String, usize)> {
        links(text)
            .into_iter()
            .map(|link| (link.target, link.line))
            .collect()
    }

    #[test]
    fn links_of_every_form() {
        assert_eq!(targets("\n[a](b.md)"), [("b.md".into(), 2)]);
        assert_eq!(targets("[a](b_(c).md \"title\")"), [("b_(c).md".into(), 1)]);
        assert_eq!(targets("[a](<b c.md>)"), [("b c.md".into(), 1)]);
        assert_eq!(targets("[a]: b.md"), [("b.md".into(), 1)]);
        assert_eq!(targets("<a href=\"b.md\">"), [("b.md".into(), 1)]);
        let badge = [("i.svg".into(), 1), ("b.md".into(), 1)];
        assert_eq!(targets("[![i](i.svg)](b.md)"), badge);
        assert_eq!(targets("[^1]: a note"), []);
    }

    #[test]
    fn code_holds_no_links() {
        assert_eq!(targets("`[a](b)` ``[`](c)``"), []);
        assert_eq!(targets("```text\n[a](b)\n```\n[c](d)"), [("d".into(), 4)]);
        assert_eq!(targets("````\n```\n[a](b)\n````"), []);
        assert_eq!(targets("a ` [c](d)"), [("d".into(), 1)]);
    }

    #[test]
    fn anchors_as_github_names_them() {
        let text = "# The `scan`, once\n## A b\n## A b\n```\n# code\n```\n## [Link](x.md) & more\n\
                    ## Own {#mine}\n<a id=\"hand\"></a>\n#nothing\n";
        let found = anchors(text);
        let expected = [
            "a-b",
            "a-b-1",
            "hand",
            "link--more",
            "mine",
            "the-scan-once",
        ];
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn targets_resolve_from_their_page() {
        assert_eq!(resolve("docs/src/a.md", "b.md").unwrap(), "docs/src/b.md");
        assert_eq!(
            resolve("docs/src/a.md", "../../README.md").unwrap(),
            "README.md"
        );
        assert_eq!(resolve("README.md", "./crates/").unwrap(), "crates");
        assert_eq!(resolve("README.md", "../x"), None);
    }

    #[test]
    fn external_targets() {
        assert!(is_external("https://example.org") && is_external("mailto:a@b"));
        assert!(!is_external("a/b.md") && !is_external("#a:b"));
    }
}
