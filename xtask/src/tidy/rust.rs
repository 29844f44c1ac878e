//! Just enough of Rust's syntax to count braces: code without comments and literals, its tokens, functions, test modules.

use std::ops::RangeInclusive;

/// A word or one character of punctuation (`->` and `=>` are one token).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token<'a> {
    /// As written.
    pub text: &'a str,
    /// From 1.
    pub line: usize,
}

/// A function with a body.
#[derive(Debug, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// From the line of `fn` to that of the closing brace.
    pub lines: RangeInclusive<usize>,
}

/// A module of tests.
#[derive(Debug, PartialEq)]
pub struct TestModule {
    /// From its first attribute to the closing brace.
    pub lines: RangeInclusive<usize>,
    /// Whether nothing but comments follows it.
    pub last: bool,
}

/// `text` with every comment, string and character literal blanked. Lines stay where they are.
pub fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = blank_end(&chars, at);
        if let Some(end) = end {
            code.extend(
                chars[at..end]
                    .iter()
                    .map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        } else {
            // `r#fn` is a name: joined, so that it is no keyword.
            let joins = chars[at] == '#' && is_raw_prefix(&chars, at);
            code.push(if joins { '_' } else { chars[at] });
            at += 1;
        }
    }
    code
}

/// The end of the comment or literal that starts at `at`, if one does.
fn blank_end(chars: &[char], at: usize) -> Option<usize> {
    let next = chars.get(at + 1).copied();
    match (chars[at], next) {
        ('/', Some('/')) => Some(position(chars, at, '\n')),
        ('/', Some('*')) => Some(comment_end(chars, at)),
        ('"' | '#', _) => {
            raw_end(chars, at).or_else(|| (chars[at] == '"').then(|| quoted_end(chars, at)))
        }
        ('\'', Some('\\')) => Some(quoted_end(chars, at)),
        ('\'', Some(c)) if c != '\'' && chars.get(at + 2) == Some(&'\'') => Some(at + 3),
        _ => None,
    }
}

fn position(chars: &[char], from: usize, wanted: char) -> usize {
    let found = chars[from..].iter().position(|c| *c == wanted);
    found.map_or(chars.len(), |offset| from + offset)
}

/// The end of a block comment, which may hold others.
fn comment_end(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at + 1 < chars.len() {
        let step = match (chars[at], chars[at + 1]) {
            ('/', '*') => 1,
            ('*', '/') => -1,
            _ => 0,
        };
        depth += step;
        at += if step == 0 { 1 } else { 2 };
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

/// The end of a string or character with escapes, whose quote is at `start`.
fn quoted_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != chars[start] {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// Whether the characters just before `at` are the prefix of a raw string or name: `r`, `br` or `cr`.
fn is_raw_prefix(chars: &[char], at: usize) -> bool {
    let start = chars[..at]
        .iter()
        .rposition(|c| !is_word(*c))
        .map_or(0, |p| p + 1);
    matches!(chars[start..at], ['r'] | ['b' | 'c', 'r'])
}

/// The end of the raw string whose first `#` or quote is at `start`, if one is there.
fn raw_end(chars: &[char], start: usize) -> Option<usize> {
    if !is_raw_prefix(chars, start) {
        return None;
    }
    let hashes = chars[start..].iter().take_while(|c| **c == '#').count();
    if chars.get(start + hashes) != Some(&'"') {
        return None;
    }
    let mut at = start + hashes + 1;
    while at < chars.len() {
        let tail = &chars[at + 1..];
        if chars[at] == '"' && tail.iter().take_while(|c| **c == '#').count() >= hashes {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(chars.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The tokens of blanked code.
pub fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (line, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("->") || rest.starts_with("=>") {
                2
            } else {
                first.len_utf8()
            };
            let (text, tail) = rest.split_at(length);
            tokens.push(Token {
                text,
                line: line + 1,
            });
            rest = tail.trim_start();
        }
    }
    tokens
}

/// Every function with a body, nested ones too.
pub fn functions(tokens: &[Token]) -> Vec<Function> {
    let starts = (0..tokens.len()).filter(|at| tokens[*at].text == "fn");
    starts.filter_map(|at| function(tokens, at)).collect()
}

/// The function whose `fn` is at `at`. None for a type (`fn(u8)`), a declaration, or a macro's pattern.
fn function(tokens: &[Token], at: usize) -> Option<Function> {
    let word = |offset: usize| tokens.get(at + offset).map(|token| token.text);
    let name = match word(1)? {
        "$" if word(3) == Some(":") => return None,
        "$" => format!("${}", word(2)?),
        name if name.starts_with(is_word) => name.to_owned(),
        _ => return None,
    };
    let end = brace_end(tokens, body(tokens, at + 2)?);
    Some(Function {
        name,
        lines: tokens[at].line..=tokens[end].line,
    })
}

/// The opening brace of the body, after a signature that goes on at `from`. None if it ends in `;`.
fn body(tokens: &[Token], from: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.text {
            "(" | "[" | "<" => depth += 1,
            ")" | "]" | ">" => depth -= 1,
            "{" if depth == 0 => return Some(at),
            "{" => depth += 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The brace that closes the one at `open`; the last token if none does.
fn brace_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len() - 1
}

/// Every `mod tests { … }` and every other module under `#[cfg(test)]`.
pub fn test_modules(tokens: &[Token]) -> Vec<TestModule> {
    let opens = |at: &usize| {
        let text = |offset: usize| tokens.get(at + offset).map(|token| token.text);
        text(0) == Some("mod") && text(2) == Some("{")
    };
    (0..tokens.len())
        .filter(opens)
        .filter_map(|at| {
            let start = attributes_start(tokens, at);
            let under_test = tokens[start..at].windows(4).any(|window| {
                window
                    .iter()
                    .map(|token| token.text)
                    .eq(["cfg", "(", "test", ")"])
            });
            let end = brace_end(tokens, at + 2);
            (under_test || tokens[at + 1].text == "tests").then(|| TestModule {
                lines: tokens[start].line..=tokens[end].line,
                last: end + 1 == tokens.len(),
            })
        })
        .collect()
}

/// Where the attributes of the item at `at` begin.
fn attributes_start(tokens: &[Token], at: usize) -> usize {
    let mut start = at;
    while start > 0 && tokens[start - 1].text == "]" {
        let before = tokens[..start].iter().rposition(|token| token.text == "#");
        match before {
            Some(hash) if tokens[hash + 1].text == "[" => start = hash,
            _ => break,
        }
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let code = code(text);
        tokens(&code)
            .iter()
            .map(|token| token.text.to_string())
            .collect()
    }

    #[test]
    fn comments_and_literals_are_blanked() {
        assert_eq!(words("a // {\nb"), ["a", "b"]);
        assert_eq!(words("a /* { /* { */ } */ b"), ["a", "b"]);
        assert_eq!(words(r#"a "{ \" {" b"#), ["a", "b"]);
        assert_eq!(words("x = r#\"{ \" {\"# ; y"), ["x", "=", "r", ";", "y"]);
        assert_eq!(words("br##\"{\"# {\"## y"), ["br", "y"]);
        assert_eq!(words("r\"\\\" y"), ["r", "y"]);
        assert_eq!(words("'{' '\\'' b'}' '\\u{7b}' y"), ["b", "y"]);
        assert_eq!(words("&'a str, '{'"), ["&", "'", "a", "str", ","]);
        assert_eq!(words("r#fn() bar\"{\""), ["r_fn", "(", ")", "bar"]);
        assert_eq!(words("# [x]"), ["#", "[", "x", "]"]);
    }

    #[test]
    fn unfinished_literals_end_with_the_text() {
        for text in ["\"{", "\"\\", "/* {", "r#\"{", "'\\", "// {"] {
            assert!(!code(text).contains('{'), "{text}");
        }
    }

    #[test]
    fn lines_survive_blanking() {
        let text = "\"a\nb\" c /*\n\n*/ d";
        let code = code(text);
        let found: Vec<(&str, usize)> = tokens(&code).iter().map(|t| (t.text, t.line)).collect();
        assert_eq!(found, [("c", 2), ("d", 4)]);
    }

    fn spans(text: &str) -> Vec<(String, usize, usize)> {
        let code = code(text);
        let span = |f: Function| (f.name, *f.lines.start(), *f.lines.end());
        functions(&tokens(&code)).into_iter().map(span).collect()
    }

    #[test]
    fn functions_end_at_their_brace() {
        let text = "fn a() {\n  let s = \"}\"; // }\n  if x { y('}') }\n}\nfn b() {}\n";
        assert_eq!(spans(text), [("a".into(), 1, 4), ("b".into(), 5, 5)]);
    }

    #[test]
    fn signatures_may_hold_braces_and_semicolons() {
        let text =
            "fn a<const N: usize>(x: [u8; 3], f: fn(u8) -> u8) -> B<{ N }>\nwhere\n  T: C,\n{\n}\n";
        assert_eq!(spans(text), [("a".into(), 1, 5)]);
        assert_eq!(
            spans("trait T {\n fn a(&self);\n fn b(&self) {\n }\n}"),
            [("b".into(), 3, 4)]
        );
    }

    #[test]
    fn nested_functions_and_macros() {
        let text =
            "fn a() {\n fn b() {\n }\n}\nmacro_rules! m {\n ($n:ident) => {\n fn $n() {\n }\n }\n}";
        let expected = [("a".into(), 1, 4), ("b".into(), 2, 3), ("$n".into(), 7, 8)];
        assert_eq!(spans(text), expected);
        assert_eq!(
            spans("macro_rules! m { (fn $n:ident() { $b:expr }) => {} }"),
            []
        );
    }

    #[test]
    fn test_modules_with_attributes() {
        let text =
            "fn a() {}\n#[cfg(test)]\n#[allow(x[1])]\nmod checks {\n}\nmod tests {\n}\n// end\n";
        let code = code(text);
        let expected = [
            TestModule {
                lines: 2..=5,
                last: false,
            },
            TestModule {
                lines: 6..=7,
                last: true,
            },
        ];
        assert_eq!(test_modules(&tokens(&code)), expected);
        assert_eq!(test_modules(&tokens("mod other {\n}")), []);
    }
}
