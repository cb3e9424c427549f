//! Exact numbers: decimals, their products and sums in 128 bits, and rounding that is always written out.

use std::fmt;

use crate::types::{Decimal, Failure};

/// An exact number that has not been rounded: `mantissa / 10^scale`.
///
/// Prices times quantities are summed as this and rounded once, at the end, into the minor units of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact {
    mantissa: i128,
    scale: u8,
}

/// What to do with the part that does not fit. There is no default: every rounding says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest; a half goes away from zero. What people expect of money.
    HalfAwayFromZero,
    /// To the nearest; a half goes to the even neighbour.
    HalfToEven,
    /// Cut off.
    TowardZero,
}

/// A computation whose exact result does not exist in this crate's types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArithmeticError {
    /// The result does not fit, or a scale is above 28.
    OutOfRange,
    /// Amounts of two currencies met.
    Currencies {
        /// The currency that was there.
        ours: String,
        /// The currency that came to it.
        theirs: String,
    },
}

impl Decimal {
    /// `mantissa / 10^scale`.
    #[must_use]
    pub const fn new(mantissa: i64, scale: u8) -> Self {
        Self { mantissa, scale }
    }

    /// This many times the decimal, exactly.
    #[must_use]
    pub fn times(self, quantity: u32) -> Exact {
        // 63 and 32 bits always fit in 127.
        Exact { mantissa: i128::from(self.mantissa) * i128::from(quantity), scale: self.scale }
    }
}

macro_rules! decimal_from {
    ($($whole:ty),*) => {
        $(impl From<$whole> for Decimal {
            fn from(whole: $whole) -> Self {
                Self::new(whole.into(), 0)
            }
        })*
    };
}

decimal_from!(i64, i32, u32);

impl Exact {
    /// Nothing.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };

    /// This many percent of so many units. The scale may be above 28 by the two places of the hundredth.
    pub(crate) fn percent_of(units: i64, percent: Decimal) -> Self {
        // Twice 63 bits always fit in 127.
        let mantissa = i128::from(units) * i128::from(percent.mantissa);
        Self { mantissa, scale: percent.scale.saturating_add(2) }
    }

    /// The exact sum.
    ///
    /// # Errors
    /// [`ArithmeticError::OutOfRange`] when it does not fit in 128 bits.
    pub fn checked_add(self, other: Self) -> Result<Self, ArithmeticError> {
        let scale = self.scale.max(other.scale);
        let sum = self.mantissa_at(scale)?.checked_add(other.mantissa_at(scale)?);
        sum.map(|mantissa| Self { mantissa, scale }).ok_or(ArithmeticError::OutOfRange)
    }

    /// The number in units of `10^-places`: with 2 places, pennies.
    ///
    /// # Errors
    /// [`ArithmeticError::OutOfRange`] when the result does not fit in 64 bits.
    pub fn rounded(self, places: u8, rounding: Rounding) -> Result<i64, ArithmeticError> {
        let units = if self.scale <= places {
            self.mantissa_at(places)?
        } else {
            round_quotient(self.mantissa, power_of_ten(self.scale - places)?, rounding)
        };
        i64::try_from(units).map_err(|_| ArithmeticError::OutOfRange)
    }

    fn mantissa_at(self, scale: u8) -> Result<i128, ArithmeticError> {
        if scale == self.scale {
            return Ok(self.mantissa);
        }
        self.mantissa.checked_mul(power_of_ten(scale - self.scale)?).ok_or(ArithmeticError::OutOfRange)
    }
}

/// `value / divisor` as a whole number; `divisor` is a power of ten above one.
fn round_quotient(value: i128, divisor: i128, rounding: Rounding) -> i128 {
    let (cut, rest) = quotient(value, divisor);
    let half = quotient(divisor, 2).0;
    let away = match rounding {
        Rounding::TowardZero => false,
        Rounding::HalfAwayFromZero => rest.abs() >= half,
        Rounding::HalfToEven => rest.abs() > half || (rest.abs() == half && cut % 2 != 0),
    };
    if away { cut + value.signum() } else { cut }
}

/// Quotient and remainder. WebAssembly divides 64 bits in one instruction and 128 in hundreds.
fn quotient(value: i128, divisor: i128) -> (i128, i128) {
    match (i64::try_from(value), i64::try_from(divisor)) {
        (Ok(value), Ok(divisor)) => (i128::from(value / divisor), i128::from(value % divisor)),
        _ => (value / divisor, value % divisor),
    }
}

/// The powers of ten that fit.
const POWERS_OF_TEN: [i128; 39] = {
    let mut powers = [1; 39];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

fn power_of_ten(exponent: u8) -> Result<i128, ArithmeticError> {
    POWERS_OF_TEN.get(usize::from(exponent)).copied().ok_or(ArithmeticError::OutOfRange)
}

impl fmt::Display for ArithmeticError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange => f.write_str("a number is out of range"),
            Self::Currencies { ours, theirs } => write!(f, "{theirs} cannot be added to {ours}"),
        }
    }
}

impl std::error::Error for ArithmeticError {}

impl From<ArithmeticError> for Failure {
    fn from(error: ArithmeticError) -> Self {
        Self::bad_input(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(mantissa: i64, scale: u8) -> Exact {
        Decimal::new(mantissa, scale).times(1)
    }

    #[test]
    fn a_half_goes_away_from_zero_on_both_sides() {
        let pennies = |mantissa, scale| exact(mantissa, scale).rounded(2, Rounding::HalfAwayFromZero);
        assert_eq!(pennies(5, 3), Ok(1));
        assert_eq!(pennies(-5, 3), Ok(-1));
        assert_eq!(pennies(4_999, 6), Ok(0));
        assert_eq!(pennies(12_345, 3), Ok(1_235));
        assert_eq!(pennies(7, 0), Ok(700));
    }

    #[test]
    fn the_other_roundings_differ_only_at_and_above_the_half() {
        for (mantissa, even, cut) in [(15, 2, 1), (25, 2, 2), (26, 3, 2), (-15, -2, -1), (-25, -2, -2)] {
            assert_eq!(exact(mantissa, 1).rounded(0, Rounding::HalfToEven), Ok(even));
            assert_eq!(exact(mantissa, 1).rounded(0, Rounding::TowardZero), Ok(cut));
        }
    }

    #[test]
    fn sums_of_different_scales_are_exact() {
        let sum = exact(1, 3).checked_add(exact(2, 0)).and_then(|sum| sum.checked_add(exact(-1, 5)));
        assert_eq!(sum.unwrap().rounded(5, Rounding::TowardZero), Ok(200_099));
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_never_wraps() {
        assert_eq!(exact(i64::MAX, 0).rounded(2, Rounding::TowardZero), Err(ArithmeticError::OutOfRange));
        assert_eq!(exact(1, 200).checked_add(exact(1, 0)), Err(ArithmeticError::OutOfRange));
        assert_eq!(Decimal::new(i64::MIN, 28).times(u32::MAX).rounded(0, Rounding::TowardZero), Ok(-3));
    }
}
