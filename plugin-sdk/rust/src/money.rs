//! Money: minor units of one currency, with checked arithmetic.

use crate::number::{ArithmeticError, Exact, Rounding};
use crate::types::{Decimal, Money};

/// Currencies whose minor unit is not the hundredth, with their decimal places (ISO 4217), sorted by code.
const UNUSUAL_PLACES: [(&str, u8); 26] = [
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// The decimal places of a currency's minor unit: 2 for GBP, 0 for JPY. `None` for what is not a currency code.
#[must_use]
pub fn minor_places(currency: &str) -> Option<u8> {
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let unusual = UNUSUAL_PLACES.binary_search_by_key(&currency, |(code, _)| code);
    Some(unusual.map_or(2, |at| UNUSUAL_PLACES[at].1))
}

impl Money {
    /// This many minor units of the currency.
    #[must_use]
    pub fn new(minor: i64, currency: impl Into<String>) -> Self {
        Self { minor, currency: currency.into() }
    }

    /// An exact number of whole units (pounds, yen) as money, rounded as told.
    ///
    /// # Errors
    /// [`ArithmeticError::OutOfRange`] when it does not fit, or when `currency` is not a currency code.
    pub fn from_exact(amount: Exact, currency: &str, rounding: Rounding) -> Result<Self, ArithmeticError> {
        let places = minor_places(currency).ok_or(ArithmeticError::OutOfRange)?;
        amount.rounded(places, rounding).map(|minor| Self::new(minor, currency))
    }

    /// The sum.
    ///
    /// # Errors
    /// [`ArithmeticError`] when the currencies differ or the sum does not fit.
    pub fn checked_add(&self, other: &Self) -> Result<Self, ArithmeticError> {
        self.with_other(other, i64::checked_add)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`ArithmeticError`] when the currencies differ or the difference does not fit.
    pub fn checked_sub(&self, other: &Self) -> Result<Self, ArithmeticError> {
        self.with_other(other, i64::checked_sub)
    }

    /// This many percent of the amount, rounded as told: `paid.percent(15, Rounding::HalfAwayFromZero)`, or a decimal
    /// for parts of a percent.
    ///
    /// ```
    /// use redress_plugin::number::Rounding;
    /// use redress_plugin::types::{Decimal, Money};
    ///
    /// let paid = Money::new(199, "EUR");
    /// assert_eq!(paid.percent(15, Rounding::HalfAwayFromZero), Ok(Money::new(30, "EUR")));
    /// assert_eq!(paid.percent(Decimal::new(25, 1), Rounding::TowardZero), Ok(Money::new(4, "EUR")));
    /// ```
    ///
    /// # Errors
    /// [`ArithmeticError::OutOfRange`] when it does not fit.
    pub fn percent(&self, percent: impl Into<Decimal>, rounding: Rounding) -> Result<Self, ArithmeticError> {
        let minor = Exact::percent_of(self.minor, percent.into()).rounded(0, rounding)?;
        Ok(Self::new(minor, self.currency.as_str()))
    }

    /// The amount, or the other one where that is less: a fee `at_most` the price.
    ///
    /// # Errors
    /// [`ArithmeticError::Currencies`] when the currencies differ.
    pub fn at_most(&self, most: &Self) -> Result<Self, ArithmeticError> {
        self.with_other(most, |ours, most| Some(ours.min(most)))
    }

    fn with_other(&self, other: &Self, operation: fn(i64, i64) -> Option<i64>) -> Result<Self, ArithmeticError> {
        if self.currency != other.currency {
            let (ours, theirs) = (self.currency.clone(), other.currency.clone());
            return Err(ArithmeticError::Currencies { ours, theirs });
        }
        let minor = operation(self.minor, other.minor).ok_or(ArithmeticError::OutOfRange)?;
        Ok(Self::new(minor, self.currency.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_places_agree_with_iso_4217() {
        let mut compared = 0;
        for first in b'A'..=b'Z' {
            for second in b'A'..=b'Z' {
                for third in b'A'..=b'Z' {
                    let code = String::from_utf8(vec![first, second, third]).unwrap();
                    let iso = iso_currency::Currency::from_code(&code).and_then(iso_currency::Currency::exponent);
                    let Some(places) = iso else { continue };
                    assert_eq!(minor_places(&code).map(u16::from), Some(places), "{code}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 150, "only {compared} currencies were compared");
        assert_eq!(minor_places("gbp"), None);
        assert_eq!(minor_places("EURO"), None);
    }

    #[test]
    fn an_amount_is_rounded_to_the_minor_unit_of_its_currency() {
        let amount = Decimal::new(12_345, 3).times(1);
        let minor = |currency| Money::from_exact(amount, currency, Rounding::HalfAwayFromZero).unwrap().minor;
        assert_eq!([minor("GBP"), minor("JPY"), minor("KWD")], [1_235, 12, 12_345]);
    }

    #[test]
    fn currencies_do_not_mix_and_sums_do_not_wrap() {
        let pound = Money::new(100, "GBP");
        assert_eq!(pound.checked_add(&Money::new(1, "GBP")), Ok(Money::new(101, "GBP")));
        assert_eq!(pound.checked_sub(&Money::new(101, "GBP")), Ok(Money::new(-1, "GBP")));
        let mixed = ArithmeticError::Currencies { ours: "GBP".into(), theirs: "EUR".into() };
        assert_eq!(pound.checked_add(&Money::new(1, "EUR")), Err(mixed));
        assert_eq!(pound.checked_add(&Money::new(i64::MAX, "GBP")), Err(ArithmeticError::OutOfRange));
    }

    #[test]
    fn a_percentage_is_exact_and_rounded_once_as_told() {
        let of = |minor, percent: Decimal, rounding| Money::new(minor, "GBP").percent(percent, rounding);
        let away = |minor, percent| of(minor, percent, Rounding::HalfAwayFromZero).unwrap().minor;
        assert_eq!([away(1_000, 15.into()), away(990, 5_i64.into()), away(-990, 5_u32.into())], [150, 50, -50]);
        assert_eq!([away(1_000, Decimal::new(125, 2)), away(199, Decimal::new(125, 1))], [13, 25]);
        assert_eq!([away(1, 49.into()), away(1, 50.into()), away(7, 0.into()), away(7, 100.into())], [0, 1, 0, 7]);
        assert_eq!(of(990, 5.into(), Rounding::TowardZero), Ok(Money::new(49, "GBP")));
        assert_eq!(of(990, 5.into(), Rounding::HalfToEven), Ok(Money::new(50, "GBP")));
        assert_eq!(of(970, 5.into(), Rounding::HalfToEven), Ok(Money::new(48, "GBP")));
        // A yen has no hundredth, and a percentage is of what there is.
        assert_eq!(Money::new(150, "JPY").percent(1, Rounding::HalfAwayFromZero), Ok(Money::new(2, "JPY")));
        assert_eq!(away(i64::MAX, 100.into()), i64::MAX);
        assert_eq!(away(i64::MIN, Decimal::new(1, 28)), 0);
        assert_eq!(of(i64::MAX, 101.into(), Rounding::TowardZero), Err(ArithmeticError::OutOfRange));
        assert_eq!(of(i64::MIN, i64::MIN.into(), Rounding::TowardZero), Err(ArithmeticError::OutOfRange));
        assert_eq!(of(1, Decimal::new(1, 255), Rounding::TowardZero), Err(ArithmeticError::OutOfRange));
    }

    #[test]
    fn the_lesser_of_two_amounts_is_of_one_currency() {
        let (fee, price) = (Money::new(1_200, "GBP"), Money::new(999, "GBP"));
        assert_eq!((fee.at_most(&price), price.at_most(&fee)), (Ok(price.clone()), Ok(price.clone())));
        assert_eq!(Money::new(-1, "GBP").at_most(&price), Ok(Money::new(-1, "GBP")));
        let mixed = ArithmeticError::Currencies { ours: "GBP".into(), theirs: "EUR".into() };
        assert_eq!(fee.at_most(&Money::new(1, "EUR")), Err(mixed));
    }
}
