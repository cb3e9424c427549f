//! What a plugin is given beside the request: its parameters by name and type, and the log.

use crate::bag::Bag;
use crate::log;
use crate::manifest::Described;
use crate::types::{Attribute, Decimal, Failure, Level, Moment, Money, Value};

/// The context of one call.
///
/// A parameter is read from the request's arguments, else from the default that the manifest declares. The `arg_`
/// methods fail with [`Failure::BadInput`] when there is neither, the `optional_` ones answer `None`; both fail when
/// the value has another type.
#[derive(Clone, Debug)]
pub struct Cx<'a> {
    args: &'a [Attribute],
    defaults: Vec<Attribute>,
}

macro_rules! args {
    ($($arg:ident, $optional:ident, $read:ident, $type:ty, $a_name:literal;)*) => {
        impl Cx<'_> {
            $(
                #[doc = concat!("The parameter `name`, ", $a_name, ".")]
                ///
                /// # Errors
                /// [`Failure::BadInput`] when it is absent or has another type.
                pub fn $arg(&self, name: &str) -> Result<$type, Failure> {
                    self.$optional(name)?.ok_or_else(|| Failure::bad_input(format!("parameter `{name}` is missing")))
                }

                #[doc = concat!("The parameter `name`, ", $a_name, ", if there is one.")]
                ///
                /// # Errors
                /// [`Failure::BadInput`] when it has another type.
                pub fn $optional(&self, name: &str) -> Result<Option<$type>, Failure> {
                    self.$read(name)
                }
            )*
        }
    };
}

args! {
    arg_text, optional_text, text, &str, "a text";
    arg_integer, optional_integer, integer, i64, "an integer";
    arg_decimal, optional_decimal, decimal, Decimal, "a decimal";
    arg_boolean, optional_boolean, boolean, bool, "a boolean";
    arg_timestamp, optional_timestamp, timestamp, Moment, "an instant";
    arg_money, optional_money, money, &Money, "an amount";
}

impl<'a> Cx<'a> {
    /// The context of a call of the plugin `P` with these arguments.
    #[must_use]
    pub fn new<P: Described>(args: &'a [Attribute]) -> Self {
        Self { args, defaults: P::defaults() }
    }

    /// Write a line for the merchant's own eyes. It is bounded by the host and never part of the answer.
    pub fn log(&self, level: Level, text: impl AsRef<str>) {
        log::write(level, text.as_ref());
    }
}

impl Bag for Cx<'_> {
    fn value(&self, key: &str) -> Option<&Value> {
        self.args.value(key).or_else(|| self.defaults.value(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Window;

    impl Described for Window {
        const MANIFEST: &'static str = "{}";

        fn defaults() -> Vec<Attribute> {
            vec![Attribute::new("clock", "delivered")]
        }
    }

    #[test]
    fn an_argument_goes_before_its_default() {
        let args = [Attribute::new("clock", "purchased")];
        assert_eq!(Cx::new::<Window>(&args).arg_text("clock"), Ok("purchased"));
        assert_eq!(Cx::new::<Window>(&[]).arg_text("clock"), Ok("delivered"));
    }

    #[test]
    fn a_missing_parameter_fails_and_a_missing_optional_one_is_none() {
        let cx = Cx::new::<Window>(&[]);
        assert_eq!(cx.arg_integer("days"), Err(Failure::bad_input("parameter `days` is missing")));
        assert_eq!(cx.optional_integer("days"), Ok(None));
        assert_eq!(cx.optional_integer("clock"), Err(Failure::bad_input("`clock` is text, expected integer")));
    }
}
