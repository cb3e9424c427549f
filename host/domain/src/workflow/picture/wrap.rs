//! Text in a box: how wide it is about, and where its lines break.

/// Lines of one text; what is longer ends with `…`, and the whole of it is the tooltip.
const LINES_MAX: usize = 4;

/// About how wide a text is, in units of the picture. There is no font to ask: letters are taken as wide as those of the usual ones.
pub(super) fn width(text: &str) -> i64 {
    text.chars().map(letter).sum()
}

fn letter(letter: char) -> i64 {
    match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '!' | '\'' | ' ' | '(' | ')' | '[' | ']' | 't' | 'f' | 'r' => 5,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 11,
        'A'..='Z' | '&' | '=' | '+' | '<' | '>' | '_' => 9,
        letter if letter.is_ascii() => 7,
        '\u{2e80}'.. => 13,
        _ => 8,
    }
}

/// The lines of a text that is to be no wider than this.
pub(super) fn wrap(text: &str, width_max: i64) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in pieces(text, width_max) {
        let Some(line) = lines.last_mut() else { break };
        let space = if line.is_empty() { 0 } else { letter(' ') };
        if !line.is_empty() && width(line) + space + width(&word) > width_max {
            lines.push(word);
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    if lines.len() > LINES_MAX {
        lines.truncate(LINES_MAX);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines
}

/// The words of a text, those that are too wide cut into pieces.
fn pieces(text: &str, width_max: i64) -> Vec<String> {
    let mut pieces = Vec::new();
    for word in text.split_whitespace() {
        let mut piece = String::new();
        for one in word.chars() {
            if width(&piece) + letter(one) > width_max {
                pieces.push(std::mem::take(&mut piece));
            }
            piece.push(one);
        }
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_in_those_that_are_too_wide() {
        assert_eq!(wrap("one two three", 60), ["one two", "three"]);
        assert_eq!(wrap("退货退货退货", 40), ["退货退", "货退货"]);
        assert_eq!(wrap("", 40), [""]);
        let long = wrap(&"word ".repeat(50), 80);
        assert_eq!((long.len(), long[3].ends_with('…')), (4, true));
    }
}
