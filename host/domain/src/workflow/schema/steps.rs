//! The fields of every step kind.

use crate::workflow::schema::{AWAIT, EXCHANGE, Field, HTTP, RUN, SLA, Shape, StepKind, Table, WAIT, hints};

/// Every step kind.
pub const STEP_KINDS: &[StepKind] = &[
    StepKind {
        name: "call",
        shape: Shape::Map(&CALL),
        waits: false,
        doc: "Asks a plugin; pure, its fuel is its limit.",
        example: "- { id: match, call: { plugin: std/purchase-match@0, with: { window_days: =window_days } }, as: matched }",
    },
    StepKind {
        name: "decide",
        shape: Shape::List(&Shape::Map(&ARM)),
        waits: false,
        doc: "Goes where the first condition that holds says; the last arm is `else`.",
        example: r#"- id: pick
  decide:
    - { when: 'matched.remedy == "review"', then: refused }
    - { else: done }"#,
    },
    StepKind {
        name: "table",
        shape: Shape::Map(&TABLE),
        waits: false,
        doc: "Sets variables by the rows that match.",
        example: r#"- id: grade
  table:
    hit: first
    inputs: [matched.remedy, 'days_between(order.placed_at, case.opened_at)']
    rows:
      - ['"allow"', '<= 14', { route: fast }]
      - ['"allow", "review"', '-', { route: slow, window_days: '=window_days + 14' }]
      - ['-', '-', { route: slow }]"#,
    },
    StepKind {
        name: "set",
        shape: Shape::Names(&Shape::Value("the variable's type")),
        waits: false,
        doc: "Assigns variables; every value is computed from the variables as they were before the step.",
        example: "- { id: choose, set: { route: slow, window_days: '=window_days + 14' } }",
    },
    StepKind {
        name: "approve",
        shape: Shape::Map(&APPROVE),
        waits: false,
        doc: "Reserves what a verdict allows, per order line.",
        example: "- { id: hold, approve: { lines: =matched.lines, until: 21d } }",
    },
    StepKind {
        name: "review",
        shape: Shape::Map(&REVIEW),
        waits: true,
        doc: "Gives a task to a person and waits for the answer.",
        example: r"- id: look
  review:
    queue: returns-l1
    title: { en: 'Look at {{ case.number }}', zh-CN: '查看 {{ case.number }}' }
    ask: { state: [new, worn], note: text? }
    next: { accept: done, refuse: refused }
    timeout: { after: 5d, then: refused }
  as: seen",
    },
    StepKind {
        name: "inspect",
        shape: Shape::Map(&INSPECT),
        waits: true,
        doc: "Gives a task to a person who looks at the goods; only after one may goods be sold again.",
        example: r#"- id: check
  inspect:
    queue: warehouse
    ask: { state: [new, worn], seal_intact: bool, photos: files(min=2) }
    sla: { due: 24h, remind: [12h], escalate: [{ after: 36h, to: warehouse-leads }] }
    timeout: { after: 10d, then: refused }
  as: inspected"#,
    },
    StepKind {
        name: "await",
        shape: Shape::Map(&AWAIT),
        waits: true,
        doc: "Waits for an event; one that came before is taken at once.",
        example: r"- id: goods
  await: { event: goods_received, match: 'event.rma == case.number', timeout: { after: 21d, then: refused } }",
    },
    StepKind {
        name: "wait",
        shape: Shape::Map(&WAIT),
        waits: false,
        doc: "Waits for a time.",
        example: "- { id: rest, wait: { for: 2d } }",
    },
    StepKind {
        name: "refund",
        shape: Shape::Map(&REFUND),
        waits: false,
        doc: "Sends money back, once.",
        example: "- { id: pay, refund: { quote: =quote, reason: changed_mind }, on_error: [{ match: declined, then: refused }] }",
    },
    StepKind {
        name: "restock",
        shape: Shape::Map(&RESTOCK),
        waits: false,
        doc: "Says where the goods go.",
        example: "- { id: shelf, restock: { to: quarantine } }",
    },
    StepKind {
        name: "notify",
        shape: Shape::Map(&NOTIFY),
        waits: false,
        doc: "Tells somebody.",
        example: "- { id: tell, notify: { template: return-done, to: customer } }",
    },
    StepKind {
        name: "http",
        shape: Shape::Map(&HTTP),
        waits: false,
        doc: "Asks a system of the merchant, and waits for its answer.",
        example: r"- id: label
  http:
    target: carrier-label
    body: { rma: =case.number, insured: true }
    expect: { number: text, costs: money? }
  on_error: [{ match: declined, then: refused }, { match: answer_invalid, then: refused }]",
    },
    StepKind {
        name: "exchange",
        shape: Shape::Map(&EXCHANGE),
        waits: false,
        doc: "Gives other goods for the units that are approved: the shop reserves and sends them, and the units count as returned, for no money.",
        example: r"- id: swap
  exchange: { sku: A2, hold_stock: 2d, price_difference: charge_or_refund }
  on_error: [{ match: out_of_stock, then: refused }, { match: hold_lapsed, then: refused }]",
    },
    StepKind {
        name: "run",
        shape: Shape::Map(&RUN),
        waits: false,
        doc: "Opens a case of another workflow, a sub-case, and waits for its end. It needs a `timeout`, unless it says `wait: no_wait`.",
        example: r"- id: report
  run:
    workflow: vigilance-report@active
    with: { device: =case.number, urgent: true }
    timeout: { after: 10d, then: refused }
  as: report
  on_error: [{ match: sub_case_failed, then: refused }, { match: any, then: refused }]",
    },
    StepKind {
        name: "undo",
        shape: Shape::OneOrMany(&Shape::Name),
        waits: false,
        doc: "Undoes what these steps did, the last one first, and waits until it is done; `all` stands for every step. Each has a `compensate` that says how; what was skipped, failed or is undone already is passed over.",
        example: "- { id: label, http: { target: carrier-label }, compensate: { http: { target: carrier-void } } }
- { id: call_off, undo: [label], on_error: [{ match: declined, then: refused }], then: refused }",
    },
    StepKind {
        name: "parallel",
        shape: Shape::Map(&PARALLEL),
        waits: false,
        doc: "Does several things at once, each a list of steps, and goes on once so many of them came to their end.",
        example: r"- id: settle
  parallel:
    join: all
    branches:
      goods:
        - { id: shelf, restock: { to: quarantine } }
      money:
        - { id: pay, refund: { quote: =quote } }",
    },
    StepKind {
        name: "for_each",
        shape: Shape::Map(&FOR_EACH),
        waits: false,
        doc: "Does the same for each element of a list, one after the other or several at once.",
        example: r"- id: each
  for_each:
    in: =case.lines
    max: 50
    steps:
      - id: seen
        when: item.quantity > 1
        review:
          queue: warehouse
          title: 'Count {{ item.sku }}'
          next: { right: counted, wrong: counted }
          timeout: { after: 2d, then: counted }
      - { id: counted, set: { window_days: '=window_days + item.quantity' } }",
    },
    StepKind {
        name: "again",
        shape: Shape::Map(&AGAIN),
        waits: false,
        doc: "Goes back to a step that the case came by, so often at most; then it goes on.",
        example: r"- id: asked
  review:
    queue: returns-l1
    title: 'Is {{ case.number }} complete?'
    next: { complete: done, incomplete: remind }
    timeout: { after: 5d, then: refused }
- { id: remind, notify: { template: incomplete, to: customer } }
- { id: once_more, again: { to: asked, max_visits: 3 } }
- { id: given_up, notify: { template: given-up, to: customer }, then: refused }",
    },
    StepKind {
        name: "finish",
        shape: Shape::Map(&FINISH),
        waits: false,
        doc: "Ends the case with a result.",
        example: "- { id: done, finish: { result: refunded } }",
    },
    StepKind {
        name: "fail",
        shape: Shape::Map(&FAIL),
        waits: false,
        doc: "Ends the case as failed.",
        example: "- { id: refused, fail: { code: refused } }",
    },
];

/// The fields of `call`.
pub const CALL: Table = Table {
    fields: &[
        Field::required("plugin", Shape::Plugin, "Which plugin, as `name@major`."),
        Field::optional("with", Shape::Names(&Shape::Value("the parameter's type")), "Its parameters."),
    ],
    hints: hints::CALL,
};

/// The fields of an arm of `decide`.
pub const ARM: Table = Table::new(&[
    Field::optional("when", Shape::Condition, "The condition of this arm."),
    Field::optional("then", Shape::Step, "Where it leads."),
    Field::optional("else", Shape::Step, "In the last arm, instead of the two: where everything else leads."),
])
.hinting(hints::ARM);

/// What becomes of several rows that match.
pub const HITS: &[&str] = &["first", "unique", "collect"];

/// The fields of `table`.
pub const TABLE: Table = Table {
    fields: &[
        Field::required(
            "hit",
            Shape::Choice(HITS),
            "Of several rows that match the first counts, there is never more than one, or all count.",
        ),
        Field::required("inputs", Shape::List(&Shape::Input), "What the rows look at."),
        Field::required("rows", Shape::List(&Shape::Row), "The rows."),
    ],
    hints: &[
        ("file", "the rows stand in the document: a revision is one text"),
        ("outputs", "what a row sets is the map at its end"),
        ("when", "what the rows look at stands under `inputs`"),
    ],
};

/// The fields of `approve`.
pub const APPROVE: Table = Table::new(&[
    Field::required("lines", Shape::Value("list(verdict_line)"), "The lines of a verdict."),
    Field::required("until", Shape::Duration, "How long the reservation lasts."),
])
.hinting(hints::APPROVE);

/// The fields of `review`.
pub const REVIEW: Table = Table {
    fields: &[
        Field::required("queue", Shape::Name, "Who works on it."),
        Field::required("title", Shape::Words, "What the task is called; `{{ expression }}` is filled in."),
        Field::optional("ask", Shape::Names(&Shape::Type), "What the person fills in."),
        Field::required("next", Shape::Names(&Shape::Step), "What the person may choose, and where each choice leads."),
        Field::optional(
            "reasons",
            Shape::List(&Shape::Name),
            "Reason codes that the case carries while it waits here.",
        ),
        Field::optional("sla", Shape::Map(&SLA), "What happens while nobody answers; it never ends the wait."),
        Field::optional(
            "four_eyes",
            Shape::Flag,
            "`true`: two different people must give the same answer; another answer takes the place of the first.",
        ),
        Field::required("timeout", Shape::Timeout, "The end of waiting."),
    ],
    hints: &[("form", "the form is `ask`"), ("outcomes", "the outcomes are the names under `next`")],
};

/// The fields of `inspect`.
pub const INSPECT: Table = Table {
    fields: &[
        Field::required("queue", Shape::Name, "Who looks at the goods."),
        Field::optional("title", Shape::Words, "What the task is called; the goods of the case where it is left out."),
        Field::optional(
            "ask",
            Shape::Names(&Shape::Type),
            "What the person fills in; `files(min=2, max=10)` takes evidence, each as `sha256:` and 64 digits, and with `?` behind it may be left out.",
        ),
        Field::optional(
            "next",
            Shape::Names(&Shape::Step),
            "What the person may choose, and where each choice leads; left out, the outcome is `done` and leads on.",
        ),
        Field::optional(
            "reasons",
            Shape::List(&Shape::Name),
            "Reason codes that the case carries while it waits here.",
        ),
        Field::optional("sla", Shape::Map(&SLA), "What happens while nobody answers; it never ends the wait."),
        Field::required("timeout", Shape::Timeout, "The end of waiting."),
    ],
    hints: &[("photos", "evidence is a field of `ask`: `photos: files(min=2)`")],
};

/// The fields of `refund`.
pub const REFUND: Table = Table {
    fields: &[
        Field::optional(
            "quote",
            Shape::Value("quote"),
            "The answer of a refund plugin: what is refunded, line by line.",
        ),
        Field::optional(
            "amount",
            Shape::Value("money"),
            "Instead, for a case without an order: how much; `limits.refund_max` caps it.",
        ),
        Field::optional("method", Shape::Name, "How; `original` where it is left out."),
        Field::optional("reason", Shape::Value("text"), "A code for the records."),
    ],
    hints: hints::REFUND,
};

/// The fields of `restock`.
pub const RESTOCK: Table = Table {
    fields: &[
        Field::required(
            "to",
            Shape::Value("[quarantine, scrap, return_to_maker, sellable, outlet]"),
            "Where the goods go; `sellable` and `outlet` only after an `inspect` on every way.",
        ),
        Field::optional("lot", Shape::Value("text?"), "The lot that they are of, as it was read off them."),
        Field::optional("serial", Shape::Value("text?"), "The serial number, of a single unit."),
    ],
    hints: hints::RESTOCK,
};

/// The fields of `notify`.
pub const NOTIFY: Table = Table::new(&[
    Field::required(
        "template",
        Shape::Name,
        "Which text. Mails have texts of their own for `return-received`, `return-approved`, `return-refunded`, `return-denied` and `return-done`; \
         by any other name a mail says in general words that there is news. A notification webhook gets the name and writes the text.",
    ),
    Field::required("to", Shape::Name, "Whom: `customer`, or a queue, whose address the mail connector names."),
    Field::optional("channel", Shape::Name, "How; `email` where it is left out."),
])
.hinting(hints::NOTIFY);

/// The fields of `parallel`.
pub const PARALLEL: Table = Table {
    fields: &[
        Field::optional(
            "join",
            Shape::Join,
            "How many branches it waits for, `all` where it is left out; the others are called off.",
        ),
        Field::required(
            "branches",
            Shape::Names(&Shape::List(&Shape::StepMap)),
            "The steps of each branch; at the end of its list a branch is done.",
        ),
        Field::optional(
            "merge",
            Shape::Names(&Shape::Choice(&["sum", "last", "list"])),
            "Variables that more than one branch may set, and what becomes of their values.",
        ),
    ],
    hints: &[("steps", "the lists of steps stand under `branches`, each with a name")],
};

/// The fields of `for_each`.
pub const FOR_EACH: Table = Table {
    fields: &[
        Field::required("in", Shape::Value("list"), "The list; it is read once, when the loop begins."),
        Field::required(
            "max",
            Shape::Whole,
            "How many elements it may have, at most 1,000; with more the step fails with `too_many_elements`.",
        ),
        Field::optional("as", Shape::Name, "What an element is called in the body; `item` where it is left out."),
        Field::optional(
            "parallel",
            Shape::Whole,
            "How many iterations run at once, at most 100; one after the other where it is left out.",
        ),
        Field::required(
            "steps",
            Shape::List(&Shape::StepMap),
            "The body; at the end of the list an iteration is done.",
        ),
        Field::optional(
            "merge",
            Shape::Names(&Shape::Choice(&["sum", "last", "list"])),
            "Variables that iterations at once may set, and what becomes of their values.",
        ),
    ],
    hints: &[
        ("collect", "values of all iterations are a variable that `merge` keeps as `list`"),
        ("over", "the list is `in`"),
        ("do", "the body is `steps`"),
    ],
};

/// The fields of `again`.
pub const AGAIN: Table = Table {
    fields: &[
        Field::required("to", Shape::Step, "Where it leads back to: a step of the same list that leads here."),
        Field::required(
            "max_visits",
            Shape::Whole,
            "How often it leads back at most, 1 to 100, in the whole case or in each iteration; after that it goes on.",
        ),
    ],
    hints: &[
        ("max", "how often is `max_visits`"),
        ("when", "`when` stands beside `again`: where it does not hold the case goes on"),
    ],
};

/// The fields of `finish`.
pub const FINISH: Table =
    Table::new(&[Field::required("result", Shape::Name, "The result in one word.")]).hinting(hints::FINISH);

/// The fields of `fail`.
pub const FAIL: Table =
    Table::new(&[Field::required("code", Shape::Name, "The code of the failure.")]).hinting(hints::FAIL);
