//! What a message says that the merchant wrote, as it leaves: in the merchant's language, with what people wrote and with the name of who
//! reads it in place of the references to them.

use redress_domain::case::{Case, Message, Piece, RECIPIENT_NAME};
use redress_store::snapshot::Snapshot;

use crate::engine::{self, personal};

/// A text that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) body: String,
}

/// The message for a locale. `name` is that of who reads it, where it is known.
///
/// # Errors
/// The store cannot be read.
pub(super) fn written(
    snapshot: &Snapshot,
    case: &Case,
    message: &Message,
    locale: &str,
    name: Option<&str>,
) -> Result<Written, engine::Error> {
    let (subject, text) = message.at(locale);
    let fill = |value: &str| personal::filled(snapshot, case, value);
    let (subject, text) = (whole(subject, name, fill)?, whole(text, name, fill)?);
    // A subject is one line, whatever a value held.
    let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Written { subject, body: format!("{}\n", text.trim()) })
}

/// The pieces as one text. Where nobody knows the name, the blank before it goes with it: `Hello {{ recipient.name }},` is `Hello,`.
fn whole<E>(pieces: &[Piece], name: Option<&str>, fill: impl Fn(&str) -> Result<String, E>) -> Result<String, E> {
    let mut text = String::new();
    for piece in pieces {
        match (piece, name) {
            (Piece::Text(part), _) => text.push_str(part),
            (Piece::Value(value), None) if value == RECIPIENT_NAME => {
                text.truncate(text.trim_end_matches(' ').len());
            }
            (Piece::Value(value), name) => {
                text.push_str(&fill(&value.replace(RECIPIENT_NAME, name.unwrap_or_default()))?)
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_knows_leaves_no_gap() {
        let pieces = [
            Piece::Text("Hello ".to_owned()),
            Piece::Value(RECIPIENT_NAME.to_owned()),
            Piece::Text(", it is ".to_owned()),
            Piece::Value("7".to_owned()),
        ];
        let told = |name| whole(&pieces, name, |value| Ok::<_, std::convert::Infallible>(value.to_owned())).unwrap();
        assert_eq!(
            (told(Some("Li Lei")), told(None)),
            ("Hello Li Lei, it is 7".to_owned(), "Hello, it is 7".to_owned())
        );
    }
}
