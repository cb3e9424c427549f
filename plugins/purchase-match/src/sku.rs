//! Which stock codes are goods: a shape of digits and letters, the same for every merchant's own codes.

use redress_plugin::eligibility::{Cx, Failure};

/// The shape that a stock code of goods has.
pub(crate) enum SkuShape {
    /// Any.
    Anything,
    /// Exactly so many digits, then letters or nothing.
    Digits {
        /// How many digits.
        digits: usize,
        /// Whether letters may follow.
        then_letters: bool,
    },
}

impl SkuShape {
    /// The shape that the parameters `sku_digits` and `sku_letters` describe.
    pub(crate) fn from_params(cx: &Cx) -> Result<Self, Failure> {
        let then_letters = match cx.arg_text("sku_letters")? {
            "any" => true,
            "none" => false,
            other => return Err(Failure::bad_input(format!("`sku_letters` is `{other}`, expected `any` or `none`"))),
        };
        let Some(digits) = cx.optional_integer("sku_digits")? else { return Ok(Self::Anything) };
        let negative = |_| Failure::bad_input(format!("`sku_digits` is {digits}, expected a number from 0 on"));
        Ok(Self::Digits { digits: usize::try_from(digits).map_err(negative)?, then_letters })
    }

    /// Whether the stock code has the shape.
    pub(crate) fn is_product(&self, sku: &str) -> bool {
        let Self::Digits { digits, then_letters } = self else { return true };
        let Some((head, tail)) = sku.as_bytes().split_at_checked(*digits) else { return false };
        let is_tail = tail.is_empty() || (*then_letters && tail.iter().all(u8::is_ascii_alphabetic));
        head.iter().all(u8::is_ascii_digit) && is_tail
    }
}
