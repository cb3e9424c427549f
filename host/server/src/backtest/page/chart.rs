//! Bars by day, before and after, as a picture inside the page. Whole numbers only: a picture needs no fractions.

use super::escaped;

/// Most bars of a picture: beyond it they would be thinner than a line.
pub(super) const BARS_MAX: usize = 366;

/// One bar of each kind.
pub(super) struct Bar {
    /// What a reader learns who points at it.
    pub(super) tells: String,
    /// Under the first and the last bar.
    pub(super) label: String,
    /// As it was, as it would be.
    pub(super) heights: [i128; 2],
}

/// The size of the picture, in its own units.
const WIDTH: i128 = 9_600;
const HEIGHT: i128 = 2_300;
/// Where the bars stand.
const BASE: i128 = 2_000;
/// The highest bar.
const HIGHEST: i128 = 1_750;

/// The picture. `top` says how much the highest bar is.
pub(super) fn bars(name: &str, top: &str, bars: &[Bar]) -> String {
    let highest = bars.iter().flat_map(|bar| bar.heights).max().unwrap_or(0).max(1);
    let count = i128::try_from(bars.len()).unwrap_or(i128::MAX).max(1);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\"><title>{}</title>",
        escaped(name),
        escaped(name)
    );
    let (first, last) = (bars.first(), bars.last());
    for (place, bar) in (0_i128..).zip(bars) {
        let (left, right) = (WIDTH * place / count, WIDTH * (place + 1) / count);
        let width = (right - left) * 8 / 10;
        let [was, is] = bar.heights.map(|height| height.max(0) * HIGHEST / highest);
        // The bar behind is as wide as its day, the one in front half of that: both can be seen, whichever is higher.
        let inner = left + width / 4;
        svg += &format!(
            "<g><title>{}</title><rect class=\"was\" x=\"{left}\" y=\"{}\" width=\"{}\" height=\"{was}\"/>\
             <rect class=\"is\" x=\"{inner}\" y=\"{}\" width=\"{}\" height=\"{is}\"/></g>",
            escaped(&bar.tells),
            BASE - was,
            width.max(1),
            BASE - is,
            (width / 2).max(1),
        );
    }
    let label = |bar: Option<&Bar>| bar.map(|bar| escaped(&bar.label)).unwrap_or_default();
    svg += &format!(
        "<line class=\"axis\" x1=\"0\" y1=\"{BASE}\" x2=\"{WIDTH}\" y2=\"{BASE}\"/>\
         <text x=\"0\" y=\"150\">{}</text><text x=\"0\" y=\"2200\">{}</text>\
         <text x=\"{WIDTH}\" y=\"2200\" text-anchor=\"end\">{}</text></svg>",
        escaped(top),
        label(first),
        label(last),
    );
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_fills_the_picture_and_the_others_are_in_proportion() {
        let bar = |heights| Bar { tells: "<day>".to_owned(), label: "d".to_owned(), heights };
        let svg = bars("money", "10", &[bar([0, 10]), bar([5, 0])]);
        assert!(svg.contains("height=\"1750\"") && svg.contains("height=\"875\""), "{svg}");
        assert!(svg.contains("&lt;day&gt;") && !svg.contains("<day>"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 4);
    }

    #[test]
    fn no_bars_are_a_picture_too() {
        assert!(bars("money", "0", &[]).ends_with("</svg>"));
    }
}
