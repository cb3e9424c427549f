//! The number that people read and type: short, per tenant, with a check digit.

/// Damm's quasigroup of order 10: finds every wrong digit and every swap of neighbours.
/// (H. M. Damm, Total anti-symmetrische Quasigruppen, Marburg 2004.)
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

fn check(digits: &str) -> u8 {
    digits.bytes().fold(0, |state, digit| DAMM[usize::from(state)][usize::from(digit - b'0')])
}

/// The number of the `n`th case: at least four digits and a check digit.
pub fn format(n: u64) -> String {
    let digits = format!("{n:04}");
    let last = check(&digits);
    format!("{digits}{last}")
}

/// Which case a typed number means; none where a digit is wrong.
pub fn parse(text: &str) -> Option<u64> {
    let digits = text.trim();
    let good = (5..=21).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if good && check(digits) == 0 { digits[..digits.len() - 1].parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_and_no_single_slip_does() {
        for n in [1, 42, 9_999, 10_000, 123_456_789] {
            let text = format(n);
            assert_eq!(parse(&text), Some(n));
            for (i, digit) in text.char_indices() {
                for other in ('0'..='9').filter(|other| *other != digit) {
                    let mut slip = text.clone();
                    slip.replace_range(i..=i, &other.to_string());
                    assert_eq!(parse(&slip), None, "{slip} for {text}");
                }
                if let Some(next) = text[i + 1..].chars().next().filter(|next| *next != digit) {
                    let mut swap = text.clone();
                    swap.replace_range(i..i + 2, &format!("{next}{digit}"));
                    assert_eq!(parse(&swap), None, "{swap} for {text}");
                }
            }
        }
    }
}
