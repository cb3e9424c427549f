//! Paths of patches: `steps.<id>.<field>...`, or a field of the document; an item of a list is `name[0]`.

use crate::workflow::diagnostic::suggest;
use crate::workflow::reader::At;
use crate::workflow::schema::DOCUMENT;
use crate::workflow::yaml::{Entry, Key, Kind, Node};

/// A part of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'p> {
    /// A field of a map.
    Field(&'p str),
    /// An item of a list.
    Item(usize),
}

/// A path that was read.
pub(super) struct Path<'p> {
    /// The step that it goes into; none for a field of the document.
    pub(super) step: Option<&'p str>,
    /// The rest.
    pub(super) parts: Vec<Part<'p>>,
}

/// What a patch does where its path ends.
#[derive(Clone, Copy)]
pub(super) enum Act<'v> {
    /// Put this value there; the key of a new field stands where the value does.
    Set(&'v Node),
    /// Take what is there out.
    Remove,
}

impl<'p> Path<'p> {
    /// Read a path; reports what is none.
    pub(super) fn read(at: &At<'p>) -> Option<Self> {
        const HELP: &str = "as `steps.<id>.<field>` or `limits.refund_max`; an item of a list is `decide[0]`";
        let text = at.text()?;
        let Some(parts) = parts(text) else {
            return at.refuse_with("bad_path", format!("{text:?} is not a path"), HELP);
        };
        match parts[..] {
            [Part::Field("steps"), Part::Field(step), _, ..] => {
                Some(Self { step: Some(step), parts: parts[2..].to_vec() })
            }
            [Part::Field("steps"), ..] => {
                let help = "a whole step is changed with `replace`, `insert` or `remove`";
                at.refuse_with("bad_path", format!("`{text}` names no field of a step"), help)
            }
            [Part::Field("format" | "workflow" | "sealed"), ..] => {
                at.refuse("bad_path", format!("`{text}` cannot be patched"))
            }
            [Part::Field(first), ..] if DOCUMENT.field(first).is_some() => {
                Some(Self { step: None, parts: parts.clone() })
            }
            [Part::Field(first), ..] => {
                let known = DOCUMENT.fields.iter().map(|field| field.name);
                let help = suggest(first, known).map_or(HELP.to_owned(), |near| format!("did you mean `{near}`?"));
                at.refuse_with("bad_path", format!("a document has no field `{first}`"), help)
            }
            _ => at.refuse_with("bad_path", format!("{text:?} is not a path"), HELP),
        }
    }

    /// The names of the fields on it.
    pub(super) fn names(&self) -> Vec<&'p str> {
        self.parts.iter().filter_map(|part| if let Part::Field(name) = part { Some(*name) } else { None }).collect()
    }
}

fn parts(text: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    for piece in text.split('.') {
        let mut rest = piece;
        if let Some(bracket) = piece.find('[') {
            rest = &piece[..bracket];
        }
        (!rest.is_empty()).then(|| parts.push(Part::Field(rest)))?;
        let mut items = &piece[rest.len()..];
        while !items.is_empty() {
            let (number, after) = items.strip_prefix('[')?.split_once(']')?;
            parts.push(Part::Item(number.parse().ok()?));
            items = after;
        }
    }
    Some(parts)
}

/// Do something where a path ends; reports where it leads nowhere.
pub(super) fn act(node: &mut Node, parts: &[Part<'_>], act_on: Act<'_>, at: &At<'_>) -> Option<()> {
    let [part, rest @ ..] = parts else { return None };
    let described = node.describe();
    match (&mut node.kind, part) {
        (Kind::Map(entries), Part::Field(name)) => {
            let place = entries.iter().position(|entry| entry.key.text == *name);
            match (place, rest.is_empty(), act_on) {
                (Some(place), false, _) => act(&mut entries[place].value, rest, act_on, at),
                (Some(place), true, Act::Set(value)) => {
                    entries[place] = entry(name, value);
                    Some(())
                }
                (Some(place), true, Act::Remove) => {
                    entries.remove(place);
                    Some(())
                }
                (None, true, Act::Set(value)) => {
                    entries.push(entry(name, value));
                    Some(())
                }
                (None, ..) => missing(name, entries, at),
            }
        }
        (Kind::List(items), Part::Item(place)) if *place < items.len() => match (rest.is_empty(), act_on) {
            (false, _) => act(&mut items[*place], rest, act_on, at),
            (true, Act::Set(value)) => {
                items[*place] = value.clone();
                Some(())
            }
            (true, Act::Remove) => {
                items.remove(*place);
                Some(())
            }
        },
        (Kind::List(items), Part::Item(place)) => {
            at.refuse("bad_path", format!("the list has {} items, counted from 0: there is no [{place}]", items.len()))
        }
        (_, Part::Field(name)) => at.refuse("bad_path", format!("there is no `{name}`: {described} has no fields")),
        (_, Part::Item(place)) => at.refuse("bad_path", format!("there is no [{place}] in {described}")),
    }
}

fn missing<T>(name: &str, entries: &[Entry], at: &At<'_>) -> Option<T> {
    let known: Vec<&str> = entries.iter().map(|entry| entry.key.text.as_str()).collect();
    let help = match suggest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is {}", known.join(", ")),
    };
    at.refuse_with("bad_path", format!("there is no `{name}` in the base"), help)
}

fn entry(name: &str, value: &Node) -> Entry {
    Entry { key: Key { text: name.to_owned(), range: value.range }, value: value.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_fields_and_items() {
        use Part::{Field, Item};
        assert_eq!(
            parts("steps.a-b.decide[0].when"),
            Some(vec![Field("steps"), Field("a-b"), Field("decide"), Item(0), Field("when")])
        );
        assert_eq!(parts("triggers[1]"), Some(vec![Field("triggers"), Item(1)]));
        for wrong in ["", ".", "a.", "a[", "a[x]", "a[0", "[0]", "a[0]b"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}
