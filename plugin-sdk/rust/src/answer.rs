//! Building answers: reasons, line verdicts and failures in one expression each.

use crate::types::{Attribute, Citation, Disposition, Failure, LineVerdict, Reason, Remedy, Take, Tier, Value};

impl Reason {
    /// A reason with its stable code.
    #[must_use]
    pub fn new(code: impl Into<String>) -> Self {
        Self { code: code.into(), cites: None, used: Vec::new(), params: Vec::new() }
    }

    /// Name the inputs that the reason rests on.
    #[must_use]
    pub fn using<I: Into<String>>(mut self, inputs: impl IntoIterator<Item = I>) -> Self {
        self.used.extend(inputs.into_iter().map(Into::into));
        self
    }

    /// Add a parameter that the reason's words need.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.params.push(Attribute::new(key, value));
        self
    }

    /// Say which law or policy the reason rests on.
    #[must_use]
    pub fn citing(mut self, citation: Citation) -> Self {
        self.cites = Some(citation);
        self
    }
}

impl LineVerdict {
    /// Allow so many of a line. The goods go to quarantine unless [`LineVerdict::disposed`] says otherwise.
    #[must_use]
    pub fn allow(line: u32, quantity: u32) -> Self {
        Self { quantity, disposition: Some(Disposition::Quarantine), ..Self::bare(line, Remedy::Allow) }
    }

    /// Deny a line.
    #[must_use]
    pub fn deny(line: u32, reason: Reason) -> Self {
        Self { reasons: vec![reason], ..Self::bare(line, Remedy::Deny) }
    }

    /// Leave a line to a person.
    #[must_use]
    pub fn review(line: u32, reason: Reason) -> Self {
        Self { reasons: vec![reason], ..Self::bare(line, Remedy::Review) }
    }

    /// Say which order lines the allowed quantity comes from.
    #[must_use]
    pub fn taking(mut self, takes: Vec<Take>) -> Self {
        self.takes = takes;
        self
    }

    /// Say where the goods go.
    #[must_use]
    pub fn disposed(mut self, disposition: Disposition) -> Self {
        self.disposition = Some(disposition);
        self
    }

    /// Say where the rule stands in the order of evaluation; goodwill unless said.
    #[must_use]
    pub fn in_tier(mut self, tier: Tier) -> Self {
        self.tier = tier;
        self
    }

    /// Add a reason.
    #[must_use]
    pub fn because(mut self, reason: Reason) -> Self {
        self.reasons.push(reason);
        self
    }

    fn bare(line: u32, remedy: Remedy) -> Self {
        let (takes, reasons) = (Vec::new(), Vec::new());
        Self { line, remedy, quantity: 0, takes, disposition: None, tier: Tier::Goodwill, reasons }
    }
}

impl Failure {
    /// The request cannot be read as it should.
    #[must_use]
    pub fn bad_input(what: impl Into<String>) -> Self {
        Self::BadInput(what.into())
    }

    /// The request can be read, but not decided by a rule.
    #[must_use]
    pub fn cannot_decide(reason: Reason) -> Self {
        Self::CannotDecide(vec![reason])
    }
}
