//! Money and prices: exact decimals with a currency. Every operation is checked, every rounding named.
//!
//! `Money` has exactly the decimals of its currency (ISO 4217) and is what is paid. `Price` is an exact amount with any number
//! of decimals: a unit price of 0.001 GBP, or the product of money and a number before it is rounded.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// Why an amount could not be formed or computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a currency of ISO 4217 with minor units.
    #[error("{0:?} is not an ISO 4217 currency code")]
    UnknownCurrency(String),
    /// Two currencies met.
    #[error("cannot combine {left} with {right}")]
    Currencies {
        /// The currency on the left.
        left: Currency,
        /// The currency on the right.
        right: Currency,
    },
    /// More decimals than the currency has.
    #[error("{amount} has more decimals than {currency} has ({exponent})")]
    TooPrecise {
        /// The amount as given.
        amount: Decimal,
        /// Its currency.
        currency: Currency,
        /// The decimals that the currency has.
        exponent: u32,
    },
    /// Beyond what an amount can hold: 18 digits in minor units, 28 digits in a price.
    #[error("amount is too large")]
    Overflow,
}

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");

    /// The three letters.
    pub fn code(&self) -> &str {
        // Three ASCII letters by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many decimals its amounts have: 2 for most, 0 for JPY, 3 for KWD.
    pub fn exponent(&self) -> u32 {
        iso_currency::Currency::from_code(self.code()).and_then(|currency| currency.exponent()).unwrap_or(2).into()
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency(code.to_owned());
        let known = iso_currency::Currency::from_code(code).ok_or_else(unknown)?;
        known.exponent().ok_or_else(unknown)?;
        code.as_bytes().try_into().map(Self).map_err(|_| unknown())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(code: String) -> Result<Self, MoneyError> {
        code.parse()
    }
}

/// How an exact amount becomes one that can be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// 0.005 becomes 0.01, -0.005 becomes -0.01: what shops and tax offices expect.
    HalfAwayFromZero,
    /// 0.005 becomes 0.00, 0.015 becomes 0.02: no drift over many roundings.
    HalfEven,
    /// Away from zero always: a cap that a rounded refund must fit under.
    Up,
}

impl Rounding {
    /// Round a plain number to so many decimals.
    pub fn apply(self, number: Decimal, decimals: u32) -> Decimal {
        number.round_dp_with_strategy(
            decimals,
            match self {
                Self::HalfAwayFromZero => RoundingStrategy::MidpointAwayFromZero,
                Self::HalfEven => RoundingStrategy::MidpointNearestEven,
                Self::Up => RoundingStrategy::AwayFromZero,
            },
        )
    }
}

/// An amount that can be paid: exactly the decimals of its currency, at most 18 digits in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Price", into = "Price")]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// An amount with no more decimals than its currency has. Nothing is rounded.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let exponent = currency.exponent();
        if amount.normalize().scale() > exponent {
            return Err(MoneyError::TooPrecise { amount, currency, exponent });
        }
        let mut scaled = amount;
        scaled.rescale(exponent);
        if scaled.scale() != exponent || i64::try_from(scaled.mantissa()).is_err() {
            return Err(MoneyError::Overflow);
        }
        Ok(Self { amount: scaled, currency })
    }

    /// Nothing, in this currency.
    pub fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// So many pennies, fen or cents.
    pub fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { amount: Decimal::new(minor, currency.exponent()), currency }
    }

    /// The amount in minor units.
    pub fn minor(&self) -> i64 {
        // Checked when formed.
        i64::try_from(self.amount.mantissa()).unwrap_or(i64::MAX)
    }

    /// The amount, with the decimals of the currency.
    pub fn amount(&self) -> Decimal {
        self.amount
    }

    /// The currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Whether nothing is to be paid.
    pub fn is_zero(&self) -> bool {
        self.amount.is_zero()
    }

    /// Whether it is below nothing.
    pub fn is_negative(&self) -> bool {
        self.amount.is_sign_negative() && !self.amount.is_zero()
    }

    /// The sum of two amounts of one currency.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        same(self.currency, other.currency)?;
        Self::new(self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?, self.currency)
    }

    /// The difference of two amounts of one currency.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        same(self.currency, other.currency)?;
        Self::new(self.amount.checked_sub(other.amount).ok_or(MoneyError::Overflow)?, self.currency)
    }

    /// The product with a number, exact: it must be rounded before it can be paid.
    pub fn times(self, factor: Decimal) -> Result<Price, MoneyError> {
        Price::from(self).times(factor)
    }

    /// Which of two amounts of one currency is larger.
    pub fn compare(self, other: Self) -> Result<std::cmp::Ordering, MoneyError> {
        same(self.currency, other.currency)?;
        Ok(self.amount.cmp(&other.amount))
    }

    /// The sum of many amounts, in this currency.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.amount)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An exact amount with any number of decimals up to 28: a unit price, or a product before it is rounded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    amount: Decimal,
    currency: Currency,
}

impl Price {
    /// An exact amount.
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// The exact amount.
    pub fn amount(&self) -> Decimal {
        self.amount
    }

    /// The currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The exact product with a number.
    pub fn times(self, factor: Decimal) -> Result<Self, MoneyError> {
        let product = self.amount.checked_mul(factor).ok_or(MoneyError::Overflow)?;
        // A product that lost digits has fewer decimals than both factors together.
        let exact =
            self.amount.scale() + factor.scale() == product.scale() || self.amount.is_zero() || factor.is_zero();
        if exact { Ok(Self { amount: product, ..self }) } else { Err(MoneyError::Overflow) }
    }

    /// The exact sum of two amounts of one currency.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        same(self.currency, other.currency)?;
        Ok(Self { amount: self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?, ..self })
    }

    /// The amount that can be paid, rounded as named.
    pub fn round(self, rounding: Rounding) -> Result<Money, MoneyError> {
        Money::new(rounding.apply(self.amount, self.currency.exponent()), self.currency)
    }
}

impl From<Money> for Price {
    fn from(money: Money) -> Self {
        Self { amount: money.amount, currency: money.currency }
    }
}

impl TryFrom<Price> for Money {
    type Error = MoneyError;

    fn try_from(price: Price) -> Result<Self, MoneyError> {
        Self::new(price.amount, price.currency)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.amount)
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn same(left: Currency, right: Currency) -> Result<(), MoneyError> {
    if left == right { Ok(()) } else { Err(MoneyError::Currencies { left, right }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gbp() -> Currency {
        "GBP".parse().unwrap()
    }

    fn price(text: &str) -> Price {
        Price::new(text.parse().unwrap(), gbp())
    }

    #[test]
    fn half_a_penny_rounds_away_from_zero_and_never_by_itself() {
        assert_eq!(price("0.005").round(Rounding::HalfAwayFromZero).unwrap().minor(), 1);
        assert_eq!(price("-0.005").round(Rounding::HalfAwayFromZero).unwrap().minor(), -1);
        assert_eq!(price("0.005").round(Rounding::HalfEven).unwrap().minor(), 0);
        assert!(matches!(Money::new("0.005".parse().unwrap(), gbp()), Err(MoneyError::TooPrecise { .. })));
    }

    #[test]
    fn trailing_zeros_are_not_extra_decimals() {
        assert_eq!(Money::new("12.500".parse().unwrap(), gbp()).unwrap().to_string(), "GBP 12.50");
        assert_eq!(Money::new("7".parse().unwrap(), gbp()).unwrap().minor(), 700);
    }

    #[test]
    fn two_currencies_do_not_combine() {
        let (pounds, yen) = (Money::from_minor(1, gbp()), Money::from_minor(1, "JPY".parse().unwrap()));
        assert!(matches!(pounds.plus(yen), Err(MoneyError::Currencies { .. })));
        assert_eq!(yen.to_string(), "JPY 1");
    }

    #[test]
    fn what_cannot_be_held_exactly_is_an_error_and_not_an_approximation() {
        assert_eq!(Money::from_minor(i64::MAX, gbp()).plus(Money::from_minor(1, gbp())), Err(MoneyError::Overflow));
        let fine = price("0.0000000000000000000000000001");
        assert_eq!(fine.times("0.1".parse().unwrap()), Err(MoneyError::Overflow));
    }

    #[test]
    fn a_code_without_minor_units_or_of_nobody_is_refused() {
        assert!("XAU".parse::<Currency>().is_err());
        assert!("gbp".parse::<Currency>().is_err());
        assert!("".parse::<Currency>().is_err());
    }
}
