//! What people write instead of a field of a step kind, and what to tell them. A hint that names the field that is meant, in
//! backquotes, also keeps that one from being called missing.

/// Words and what to say about them.
type Hints = &'static [(&'static str, &'static str)];

/// For `call`.
pub(super) const CALL: Hints = &[
    ("timeout", "a call is pure and has no timeout: fuel is its limit"),
    ("args", "parameters stand under `with`"),
    ("params", "parameters stand under `with`"),
    ("name", "which plugin is `plugin`"),
];

/// For an arm of `decide`.
pub(super) const ARM: Hints = &[
    ("if", "a condition is `when`"),
    ("case", "a condition is `when`"),
    ("goto", "where an arm leads is `then`"),
    ("next", "where an arm leads is `then`"),
    ("default", "where everything else leads is `else`"),
    ("otherwise", "where everything else leads is `else`"),
];

/// For `approve`.
pub(super) const APPROVE: Hints = &[
    ("next", "an `approve` asks nobody: a `review` has a `next`"),
    ("queue", "an `approve` asks nobody: a `review` has a queue"),
    ("timeout", "an `approve` does not wait; how long the units are kept is `until`"),
    ("for", "how long the units are kept is `until`"),
];

/// For `wait`.
pub(super) const WAIT: Hints = &[
    ("event", "a `wait` has `for` or `until`; an event is waited for by an `await`"),
    ("match", "a `wait` has `for` or `until`; an event is waited for by an `await`"),
    ("timeout", "a `wait` ends by itself: `for` or `until` says when"),
    ("after", "how long is `for`"),
    ("days", "how long is `for`, as `for: 2d`"),
];

/// For `refund`.
pub(super) const REFUND: Hints = &[
    ("to", "money goes back to the payment that it came by; `method` says how else"),
    ("currency", "the currency is the document's"),
    ("refund_max", "the most that a case may refund stands in the document, `limits: { refund_max: 50.00 }`"),
    ("max", "the most that a case may refund stands in the document, `limits: { refund_max: 50.00 }`"),
    ("total", "how much is `quote`, or an `amount`"),
    ("lines", "what is refunded line by line is a `quote`"),
];

/// For `restock`.
pub(super) const RESTOCK: Hints = &[
    ("place", "where the goods go is `to`"),
    ("where", "where the goods go is `to`"),
    ("lines", "all goods that the case took back go there"),
    ("quantity", "all goods that the case took back go there"),
];

/// For `notify`.
pub(super) const NOTIFY: Hints = &[
    ("subject", "the words of a message do not stand in a workflow: `template` names them"),
    ("body", "the words of a message do not stand in a workflow: `template` names them"),
    ("text", "the words of a message do not stand in a workflow: `template` names them"),
    ("message", "the words of a message do not stand in a workflow: `template` names them"),
    ("recipient", "whom it tells is `to`"),
    ("cc", "one step tells one of them: take a step for each"),
    ("timeout", "nobody waits for a message: the case goes on at once"),
];

/// For `finish`.
pub(super) const FINISH: Hints = &[
    ("status", "how it ended is `result`"),
    ("outcome", "how it ended is `result`"),
    ("code", "how it ended is `result`; an end that is a failure is a `fail` with a `code`"),
    ("message", "people are told by a `notify` before it"),
];

/// For `fail`.
pub(super) const FAIL: Hints = &[
    ("result", "why it failed is `code`; an end that is no failure is a `finish` with a `result`"),
    ("reason", "why it failed is `code`"),
    ("message", "people are told by a `notify` before it"),
];

/// For `limits`.
pub(super) const LIMITS: Hints = &[
    ("steps", "a document has at most 256 steps, and each way back and each loop says how often"),
    ("max_refund", "the most that a case may refund is `refund_max`"),
    ("refund", "the most that a case may refund is `refund_max`"),
];
