//! What a message says that the merchant wrote: fixed when the message is wanted, in every language that it was written in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::Digest;

/// What an expression gives for the name of who reads the message. The name is put there when the message leaves: it is no part of
/// any record.
pub const RECIPIENT_NAME: &str = "person:recipient.name";

/// A text that is ready but for what is known of its reader when it leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The digest of what the workflow says under the message's name.
    pub digest: Digest,
    /// What stands above it, by locale.
    pub subject: Texts,
    /// What it says, by locale.
    pub text: Texts,
}

/// The same text by locale; one that is for all stands under no name.
pub type Texts = BTreeMap<String, Vec<Piece>>;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// As the workflow has it.
    Text(String),
    /// What an expression gave: what a person wrote is a reference in it.
    Value(String),
}

impl Piece {
    /// The part as it is kept.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Value(text) => text,
        }
    }
}

impl Message {
    /// Subject and text for a locale, else for its language, else in English, else whatever stands first.
    pub fn at(&self, locale: &str) -> (&[Piece], &[Piece]) {
        (chosen(&self.subject, locale), chosen(&self.text, locale))
    }

    /// Whether it says this in some language, in its subject or below.
    pub fn says(&self, words: &str) -> bool {
        let whole = |pieces: &Vec<Piece>| pieces.iter().map(Piece::as_str).collect::<String>();
        self.subject.values().chain(self.text.values()).any(|pieces| whole(pieces).contains(words))
    }
}

fn chosen<'a>(texts: &'a Texts, locale: &str) -> &'a [Piece] {
    let language = locale.split('-').next().unwrap_or_default();
    let names = ["", locale, language, "en"];
    let named = names.into_iter().find_map(|name| texts.get(name));
    named.or_else(|| texts.values().next()).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_takes_its_own_text_else_that_of_its_language_else_english() {
        let texts = |names: &[&str]| {
            names.iter().map(|name| ((*name).to_owned(), vec![Piece::Text((*name).to_owned())])).collect::<Texts>()
        };
        let taken = |names: &[&str], locale: &str| chosen(&texts(names), locale)[0].as_str().to_owned();
        let many = ["de", "en", "zh", "zh-CN"];
        let of = ["zh-CN", "zh-TW", "de-AT", "fr"].map(|locale| taken(&many, locale));
        assert_eq!(of, ["zh-CN", "zh", "de", "en"]);
        assert_eq!((taken(&["fr", "it"], "de"), taken(&[""], "de")), ("fr".to_owned(), String::new()));
    }
}
