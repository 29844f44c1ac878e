//! Escaped text and numbers for people and for scripts.

/// Between a number and its unit, and between groups of digits: narrow and never broken.
const THIN_SPACE: char = '\u{202f}';

/// `text` with the five characters that mean something in HTML replaced, for content and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(symbol),
        }
    }
    escaped
}

/// Escaped text that may go on in the next line behind its dots and underscores, for content.
pub(super) fn breakable(escaped: &str) -> String {
    escaped.replace('.', ".<wbr>").replace('_', "_<wbr>")
}

/// `value` with four significant digits, without closing zeros; `1.5e-7` where plain digits would be long.
pub(super) fn number(value: f64) -> String {
    rounded(value, 4)
}

/// `value` as a JSON number with enough digits for a drawing: whole numbers in full, others with six.
///
/// `value` must be finite, since JSON knows no other numbers.
pub(super) fn json_number(value: f64) -> String {
    debug_assert!(value.is_finite());
    if value != 0.0 && value.fract() == 0.0 && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    rounded(value, 6)
}

fn rounded(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return match value {
            v if v.is_nan() => "NaN".into(),
            v if v > 0.0 => "∞".into(),
            _ => "-∞".into(),
        };
    }
    if value == 0.0 {
        return "0".into();
    }
    let scientific = format!("{:.*e}", digits - 1, value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        return without_closing_zeros(&format!("{value:.decimals$}")).to_owned();
    }
    format!("{}e{exponent}", without_closing_zeros(mantissa))
}

fn without_closing_zeros(text: &str) -> &str {
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.')
}

/// A share from 0 to 1 in percent, with `decimals` digits after the point.
pub(super) fn percent(share: f64, decimals: usize) -> String {
    if !share.is_finite() {
        return number(share);
    }
    format!("{:.decimals$}{THIN_SPACE}%", 100.0 * share)
}

/// A count with its digits in groups of three from five digits on: `12 345`, but `1234`.
pub(super) fn count(value: usize) -> String {
    grouped(&value.to_string())
}

/// The digits before the point of `text` in groups of three, where there are five or more.
pub(super) fn grouped(text: &str) -> String {
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, digits) = whole.split_at(whole.find(|c: char| c.is_ascii_digit()).unwrap_or(0));
    if digits.len() < 5 {
        return text.to_owned();
    }
    let mut spaced = String::from(sign);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            spaced.push(THIN_SPACE);
        }
        spaced.push(digit);
    }
    spaced + rest
}

/// `value` with at most two decimals, for coordinates of a drawing.
pub(super) fn coordinate(value: f64) -> String {
    let text = format!("{value:.2}");
    match without_closing_zeros(&text) {
        "-0" => "0".into(),
        text => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_all_five_characters() {
        assert_eq!(
            escape(r#"<a href="x">&'"#),
            "&lt;a href=&quot;x&quot;&gt;&amp;&#39;"
        );
        assert_eq!(escape("élève 5 µV"), "élève 5 µV");
    }

    #[test]
    fn long_names_break_behind_dots_and_underscores() {
        assert_eq!(breakable("a.b_c &amp; d"), "a.<wbr>b_<wbr>c &amp; d");
    }

    #[test]
    fn numbers_have_four_significant_digits() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (0.001, "0.001"),
            (0.021_346, "0.02135"),
            (2.197_22, "2.197"),
            (9.999_96, "10"),
            (123_456.0, "123456"),
            (-0.5, "-0.5"),
            (1.5e-7, "1.5e-7"),
            (3.4e38, "3.4e38"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "∞"),
            (f64::NEG_INFINITY, "-∞"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn json_numbers_keep_whole_steps_and_parse_back() {
        assert_eq!(json_number(12_345_678.0), "12345678");
        assert_eq!(json_number(-0.0), "0");
        assert_eq!(json_number(-1000.0), "-1000");
        for value in [0.123_456_789, -3.25e-9, 7.5e80, 1e15 + 0.5] {
            let parsed: f64 = json_number(value).parse().unwrap();
            assert!(
                (parsed - value).abs() <= 1e-5 * value.abs(),
                "{value} {parsed}"
            );
        }
    }

    #[test]
    fn percents_and_counts() {
        assert_eq!(percent(0.978_378, 2), "97.84\u{202f}%");
        assert_eq!(percent(1.0, 0), "100\u{202f}%");
        assert_eq!(percent(f64::NAN, 2), "NaN");
        assert_eq!(count(1234), "1234");
        assert_eq!(count(12345), "12\u{202f}345");
        assert_eq!(grouped("−1234567.25"), "−1\u{202f}234\u{202f}567.25");
    }

    #[test]
    fn coordinates_are_short_and_never_minus_zero() {
        assert_eq!(coordinate(12.0), "12");
        assert_eq!(coordinate(12.345), "12.35");
        assert_eq!(coordinate(-0.001), "0");
        assert_eq!(coordinate(100.0), "100");
    }
}
