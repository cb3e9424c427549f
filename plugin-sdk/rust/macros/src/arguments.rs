//! The arguments of the attribute: what an author writes, checked where it stands.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, Lit, LitStr, Token, bracketed, parenthesized};

/// Everything between the parentheses of `#[plugin(..)]`.
pub(crate) struct Arguments {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) params: Vec<Param>,
    pub(crate) provides: Vec<(String, ValueType)>,
    pub(crate) facts: Vec<String>,
    pub(crate) attributes: Vec<(String, Option<ValueType>)>,
}

/// A declared parameter.
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) value_type: ValueType,
    pub(crate) presence: Presence,
}

/// Whether a call must carry the parameter.
pub(crate) enum Presence {
    Required,
    Optional,
    Default(Default),
}

/// A default, in the type of its parameter.
pub(crate) enum Default {
    Text(String),
    Integer(i64),
    Decimal { mantissa: i64, scale: u8, text: String },
    Boolean(bool),
    Money { minor: i64, currency: String },
}

/// A type of the contract's `value`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueType {
    Text,
    Integer,
    Decimal,
    Boolean,
    Timestamp,
    Money,
}

const TYPES: [(&str, ValueType); 6] = [
    ("text", ValueType::Text),
    ("integer", ValueType::Integer),
    ("decimal", ValueType::Decimal),
    ("boolean", ValueType::Boolean),
    ("timestamp", ValueType::Timestamp),
    ("money", ValueType::Money),
];

impl ValueType {
    pub(crate) fn name(self) -> &'static str {
        TYPES.iter().find(|(_, value_type)| *value_type == self).map_or("", |(name, _)| name)
    }
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut name, mut version) = (None, None);
        let (mut params, mut provides, mut facts, mut attributes) = (None, None, None, None);
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            match key.to_string().as_str() {
                "name" => once(&key, &mut name, checked_text(input, "a name of lower-case words", is_slug)?)?,
                "version" => once(&key, &mut version, checked_text(input, "three numbers like 1.2.0", is_version)?)?,
                "params" => once(&key, &mut params, in_parentheses(input)?)?,
                "provides" => once(&key, &mut provides, in_parentheses(input)?)?,
                "facts" => once(&key, &mut facts, in_brackets::<Key>(input)?)?,
                "attributes" => once(&key, &mut attributes, in_brackets::<Attribute>(input)?)?,
                other => {
                    let known = "name, version, params, provides, facts, attributes";
                    return Err(syn::Error::new(
                        key.span(),
                        format!("unknown argument `{other}`, expected one of {known}"),
                    ));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let missing = |what: &str| syn::Error::new(Span::call_site(), format!("`{what} = \"..\"` is missing"));
        Ok(Self {
            name: name.ok_or_else(|| missing("name"))?,
            version: version.ok_or_else(|| missing("version"))?,
            params: params.unwrap_or_default(),
            provides: provides.unwrap_or_default().into_iter().map(|Provided(name, kind)| (name, kind)).collect(),
            facts: facts.unwrap_or_default().into_iter().map(|Key(name)| name).collect(),
            attributes: attributes.unwrap_or_default().into_iter().map(|Attribute(name, kind)| (name, kind)).collect(),
        })
    }
}

impl Parse for Param {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse::<Ident>()?.to_string();
        input.parse::<Token![:]>()?;
        let mut word: Ident = input.parse()?;
        let optional = word == "optional";
        if optional {
            word = input.parse()?;
        }
        let value_type = value_type(&word)?;
        let presence = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Presence::Default(default(input, value_type)?)
        } else if optional {
            Presence::Optional
        } else {
            Presence::Required
        };
        Ok(Self { name, value_type, presence })
    }
}

/// A provided value: its name and type.
struct Provided(String, ValueType);

impl Parse for Provided {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse::<Ident>()?.to_string();
        input.parse::<Token![:]>()?;
        Ok(Self(name, value_type(&input.parse()?)?))
    }
}

fn once<T>(key: &Ident, place: &mut Option<T>, value: T) -> syn::Result<()> {
    if place.replace(value).is_some() {
        return Err(syn::Error::new(key.span(), format!("`{key}` is written twice")));
    }
    Ok(())
}

fn checked_text(input: ParseStream<'_>, wanted: &str, is_valid: fn(&str) -> bool) -> syn::Result<String> {
    input.parse::<Token![=]>()?;
    let literal: LitStr = input.parse()?;
    let text = literal.value();
    if is_valid(&text) { Ok(text) } else { Err(syn::Error::new(literal.span(), format!("expected {wanted}"))) }
}

fn in_parentheses<T: Parse>(input: ParseStream<'_>) -> syn::Result<Vec<T>> {
    let content;
    parenthesized!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

fn in_brackets<T: Parse>(input: ParseStream<'_>) -> syn::Result<Vec<T>> {
    input.parse::<Token![=]>()?;
    let content;
    bracketed!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

/// A key of an open bag.
struct Key(String);

impl Parse for Key {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let literal: LitStr = input.parse()?;
        let text = literal.value();
        let expected = || syn::Error::new(literal.span(), "expected a key of letters, digits, `_`, `-` and `.`");
        if is_key(&text) { Ok(Self(text)) } else { Err(expected()) }
    }
}

/// An attribute that is read: its key, and its type where that is said.
struct Attribute(String, Option<ValueType>);

impl Parse for Attribute {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let Key(name) = input.parse()?;
        let kind = input.parse::<Option<Token![:]>>()?.map(|_| value_type(&input.parse()?)).transpose()?;
        Ok(Self(name, kind))
    }
}

fn value_type(word: &Ident) -> syn::Result<ValueType> {
    let found = TYPES.iter().find(|(name, _)| word == name);
    let names = TYPES.map(|(name, _)| name).join(", ");
    found
        .map(|(_, value_type)| *value_type)
        .ok_or_else(|| syn::Error::new(word.span(), format!("unknown type `{word}`, expected one of {names}")))
}

fn default(input: ParseStream<'_>, value_type: ValueType) -> syn::Result<Default> {
    if value_type == ValueType::Money {
        return money(input);
    }
    let minus = input.parse::<Option<Token![-]>>()?;
    let literal: Lit = input.parse()?;
    let sign = if minus.is_some() { "-" } else { "" };
    match (value_type, &literal) {
        (ValueType::Text, Lit::Str(text)) if minus.is_none() => Ok(Default::Text(text.value())),
        (ValueType::Boolean, Lit::Bool(truth)) if minus.is_none() => Ok(Default::Boolean(truth.value)),
        (ValueType::Integer, Lit::Int(number)) => {
            let parsed = format!("{sign}{}", number.base10_digits()).parse();
            parsed.map(Default::Integer).map_err(|error| syn::Error::new(number.span(), error))
        }
        (ValueType::Decimal, Lit::Int(number)) => decimal(format!("{sign}{}", number.base10_digits()), number.span()),
        (ValueType::Decimal, Lit::Float(number)) => decimal(format!("{sign}{}", number.base10_digits()), number.span()),
        _ => {
            let example = match value_type {
                ValueType::Text => ", which is written as \"new\"",
                ValueType::Integer => ", which is written as 14",
                ValueType::Decimal => ", which is written as 0.15",
                ValueType::Boolean => ", which is written as true",
                ValueType::Timestamp | ValueType::Money => "",
            };
            let message = format!("this cannot be the default of a parameter of type {}{example}", value_type.name());
            Err(syn::Error::new_spanned(literal, message))
        }
    }
}

/// An amount as authors write one everywhere: `Money::new(490, "EUR")`, in minor units.
fn money(input: ParseStream<'_>) -> syn::Result<Default> {
    let expected = |error: syn::Error| {
        syn::Error::new(error.span(), "expected an amount in minor units, such as Money::new(490, \"EUR\")")
    };
    let path: syn::Path = input.parse().map_err(expected)?;
    let is_money = path.segments.len() == 2 && path.segments[0].ident == "Money" && path.segments[1].ident == "new";
    if !is_money || !input.peek(syn::token::Paren) {
        return Err(expected(syn::Error::new_spanned(path, "")));
    }
    let content;
    parenthesized!(content in input);
    let minus = content.parse::<Option<Token![-]>>().map_err(expected)?;
    let digits: syn::LitInt = content.parse().map_err(expected)?;
    content.parse::<Token![,]>().map_err(expected)?;
    let currency: LitStr = content.parse().map_err(expected)?;
    content.parse::<Option<Token![,]>>()?;
    if !content.is_empty() {
        return Err(expected(content.error("")));
    }
    let sign = if minus.is_some() { "-" } else { "" };
    let minor = format!("{sign}{}", digits.base10_digits()).parse();
    let minor = minor.map_err(|error| syn::Error::new(digits.span(), error))?;
    let code = currency.value();
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(syn::Error::new(currency.span(), "expected the code of a currency, such as \"EUR\""));
    }
    Ok(Default::Money { minor, currency: code })
}

/// The digits as they are written; they never become a float.
fn decimal(text: String, span: Span) -> syn::Result<Default> {
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let parsed = (format!("{whole}{fraction}").parse(), u8::try_from(fraction.len()));
    match parsed {
        (Ok(mantissa), Ok(scale)) if scale <= 28 => Ok(Default::Decimal { mantissa, scale, text }),
        _ => Err(syn::Error::new(span, "expected a plain decimal of at most 18 digits")),
    }
}

fn is_slug(text: &str) -> bool {
    let word = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) && !word.is_empty();
    text.len() <= 64 && text.split('-').all(word)
}

fn is_version(text: &str) -> bool {
    let number = |part: &str| part.parse::<u32>().is_ok_and(|number| number.to_string() == part);
    text.split('.').count() == 3 && text.split('.').all(number)
}

fn is_key(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    !text.is_empty() && text.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Arguments, String> {
        syn::parse_str(text).map_err(|error| error.to_string())
    }

    fn refusal(text: &str) -> String {
        parse(text).err().unwrap_or_default()
    }

    #[test]
    fn parameters_are_required_optional_or_have_a_default() {
        let text = r#"name = "a", version = "0.1.0", params(a: integer, b: optional text, c: decimal = -0.150)"#;
        let params = parse(text).unwrap().params;
        assert!(matches!(params[0].presence, Presence::Required));
        assert!(matches!(params[1].presence, Presence::Optional));
        let Presence::Default(Default::Decimal { mantissa, scale, .. }) = params[2].presence else { panic!() };
        assert_eq!((mantissa, scale), (-150, 3));
    }

    #[test]
    fn an_amount_is_a_default_in_minor_units() {
        let default = |written: &str| {
            let params = parse(&format!(r#"name = "a", version = "0.1.0", params(fee: money = {written})"#))?.params;
            let Presence::Default(Default::Money { minor, currency }) = &params[0].presence else { panic!() };
            Ok::<_, String>((*minor, currency.clone()))
        };
        assert_eq!(default(r#"Money::new(490, "EUR")"#), Ok((490, "EUR".to_owned())));
        assert_eq!(default(r#"Money::new(-9_223_372_036_854_775_808, "JPY",)"#), Ok((i64::MIN, "JPY".to_owned())));
        let form = "expected an amount in minor units, such as Money::new(490, \"EUR\")";
        for wrong in ["490", "4.90", r#""EUR 4.90""#, "Money", "Money::new(4.90, \"EUR\")", r#"Cash::new(1, "EUR")"#] {
            assert_eq!(default(wrong), Err(form.to_owned()), "{wrong}");
        }
        assert_eq!(default(r#"Money::new(1, "EUR", 2)"#), Err(form.to_owned()));
        assert!(default(r#"Money::new(1, "Euro")"#).unwrap_err().starts_with("expected the code of a currency"));
    }

    #[test]
    fn an_attribute_may_say_its_type() {
        let read = |written: &str| {
            let all = parse(&format!(r#"name = "a", version = "0.1.0", attributes = [{written}]"#))?.attributes;
            Ok::<_, String>(all.into_iter().map(|(name, kind)| (name, kind.map(ValueType::name))).collect::<Vec<_>>())
        };
        let both = [("seal.state".to_owned(), Some("text")), ("opened".to_owned(), None)];
        assert_eq!(read(r#""seal.state": text, "opened""#), Ok(both.into()));
        assert!(read(r#""opened": bool"#).unwrap_err().starts_with("unknown type `bool`, expected one of text"));
        assert!(read("opened: boolean").unwrap_err().contains("expected string literal"));
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let with = |rest: &str| refusal(&format!(r#"name = "a", version = "0.1.0", {rest}"#));
        assert_eq!(refusal(r#"version = "0.1.0""#), "`name = \"..\"` is missing");
        assert_eq!(refusal(r#"name = "Big Name", version = "0.1.0""#), "expected a name of lower-case words");
        assert_eq!(refusal(r#"name = "a", version = "1.02.0""#), "expected three numbers like 1.2.0");
        assert_eq!(with(r#"name = "b""#), "`name` is written twice");
        assert!(with("params(a: float)").starts_with("unknown type `float`, expected one of text, integer"));
        assert_eq!(
            with("params(a: integer = true)"),
            "this cannot be the default of a parameter of type integer, which is written as 14"
        );
        assert_eq!(with("params(a: decimal = 1e5)"), "expected a plain decimal of at most 18 digits");
        assert!(with(r#"fact = ["x"]"#).starts_with("unknown argument `fact`"));
    }
}
