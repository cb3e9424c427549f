//! Types as a document writes them: `text`, `number?`, `list(text)`, `[new, worn]`.

use crate::ids::Slug;
use crate::value::Type;
use crate::workflow::diagnostic::{Diagnostic, Range, suggest};
use crate::workflow::reader::At;
use crate::workflow::yaml::Kind;

/// The plain types by name.
pub const PLAIN: &[(&str, Type)] = &[
    ("text", Type::Text),
    ("number", Type::Number),
    ("money", Type::Money),
    ("price", Type::Price),
    ("bool", Type::Bool),
    ("date", Type::Date),
    ("instant", Type::Instant),
    ("duration", Type::Duration),
];

/// How deep lists may stand in lists.
const DEPTH_MAX: usize = 4;

/// Why a text is no type; the range is in that text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAType {
    /// Which part.
    pub range: Range,
    /// What is wrong with it.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// The type that a value of the document writes; reports what is none.
pub fn type_of(at: &At<'_>) -> Option<Type> {
    if let Kind::List(_) = &at.node().kind {
        return enumeration(at);
    }
    let text = at.text()?;
    parse(text, &|_| None).map_err(|error| at.report_inside::<()>(error.into())).ok()
}

/// Read a type. `named` gives the types that have a name here beside the plain ones.
pub fn parse(text: &str, named: &dyn Fn(&str) -> Option<Type>) -> Result<Type, NotAType> {
    parse_at(text, 0, DEPTH_MAX, named)
}

fn parse_at(text: &str, offset: usize, depth: usize, named: &dyn Fn(&str) -> Option<Type>) -> Result<Type, NotAType> {
    let start = offset + text.len() - text.trim_start().len();
    let text = text.trim();
    let wrong =
        |message: String, help: String| NotAType { range: Range::new(start, start + text.len()), message, help };
    if let Some(inner) = text.strip_suffix('?') {
        let inner = parse_at(inner, start, depth, named)?;
        return match inner {
            Type::Optional(_) => {
                Err(wrong(format!("`{text}` has more than one `?`"), "one `?` means: may be absent".to_owned()))
            }
            inner => Ok(inner.optional()),
        };
    }
    if let Some(inner) = text.strip_prefix("list(").and_then(|rest| rest.strip_suffix(')')) {
        if depth == 0 {
            return Err(wrong(format!("lists in lists go at most {DEPTH_MAX} deep"), "use a flatter type".to_owned()));
        }
        return Ok(parse_at(inner, start + "list(".len(), depth - 1, named)?.list());
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let words: Vec<_> = inner.split(',').map(|word| word.trim().to_owned()).collect();
        return match words.iter().find(|word| Slug::new(word).is_err()) {
            Some(bad) => Err(wrong(format!("{bad:?} is not a word of an enumeration"), WORD_HELP.to_owned())),
            None => Ok(Type::Enum(words)),
        };
    }
    let plain = PLAIN.iter().find(|(name, _)| *name == text).map(|(_, kind)| kind.clone());
    plain.or_else(|| named(text)).ok_or_else(|| {
        let help = match suggest(text, PLAIN.iter().map(|(name, _)| *name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let names: Vec<_> = PLAIN.iter().map(|(name, _)| *name).collect();
                format!("a type is {}, [word, word], list(T) or T?", names.join(", "))
            }
        };
        wrong(format!("unknown type `{text}`"), help)
    })
}

const WORD_HELP: &str = "lower-case letters, digits, `-` and `_`, beginning with a letter";

/// `[new, worn]`.
fn enumeration(at: &At<'_>) -> Option<Type> {
    let mut words: Vec<String> = Vec::new();
    let mut complete = true;
    for item in at.list()? {
        match item.slug() {
            Some(word) if words.iter().any(|known| known == word.as_str()) => {
                item.refuse::<()>("duplicate_word", format!("`{word}` is given twice"));
            }
            Some(word) => words.push(word.as_str().to_owned()),
            None => complete = false,
        }
    }
    if words.is_empty() && complete {
        return at.refuse("wrong_type", "an enumeration has at least one word");
    }
    complete.then_some(Type::Enum(words))
}

impl From<NotAType> for Diagnostic {
    fn from(error: NotAType) -> Self {
        Self::new("unknown_type", error.range, error.message).help(error.help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Result<String, String> {
        parse(text, &|name| (name == "line").then_some(Type::Object([].into())))
            .map(|kind| kind.to_string())
            .map_err(|error| format!("{}: {}", &text[error.range.start..error.range.end], error.message))
    }

    #[test]
    fn types_nest_and_may_be_absent() {
        assert_eq!(written("text?"), Ok("text?".to_owned()));
        assert_eq!(written("list(number?)?"), Ok("list(number?)?".to_owned()));
        assert_eq!(written("list( [new, worn] )"), Ok("list(one of new|worn)".to_owned()));
        assert_eq!(written("list(line)"), Ok("list(object)".to_owned()));
    }

    #[test]
    fn the_part_that_is_no_type_is_pointed_at() {
        assert_eq!(written("list(txt)"), Err("txt: unknown type `txt`".to_owned()));
        assert_eq!(written("text??"), Err("text??: `text??` has more than one `?`".to_owned()));
        assert!(written("list(list(list(list(list(text)))))").is_err());
        assert!(written("[a, B]").is_err());
    }
}
