//! Says what safety asks of each line: what was recalled comes back, into quarantine; what nobody knows of is a person's to say.
//!
//! Attributes
//! - `recalled` of a line: whether the maker called it back.

use redress_plugin::compliance::{Bag, Compliance, Cx, Disposition, Failure, Line, LineVerdict, Reason, Request, Tier, Verdict};

struct Policy;

#[redress_plugin::plugin(name = "{{name}}", version = "0.1.0", attributes = ["recalled": boolean])]
impl Compliance for Policy {
    fn check(req: &Request, _cx: &Cx) -> Result<Verdict, Failure> {
        Ok(Verdict { lines: req.lines.iter().map(judge).collect::<Result<_, _>>()?, ..Verdict::default() })
    }
}

fn judge(line: &Line) -> Result<LineVerdict, Failure> {
    let reason = |code: &str| Reason::new(code).using(["line.recalled"]);
    Ok(match line.attributes.boolean("recalled")? {
        Some(true) => LineVerdict::allow(line.index, line.quantity)
            .disposed(Disposition::Quarantine)
            .in_tier(Tier::Recall)
            .because(reason("recalled")),
        Some(false) => LineVerdict::allow(line.index, line.quantity),
        // Never guess: a fact that is missing is a question for a person.
        None => LineVerdict::review(line.index, reason("recall_unknown")),
    })
}

#[cfg(test)]
mod tests {
    use redress_plugin::compliance::{Attribute, Remedy};
    use redress_plugin::testing::{self, RequestBuilder};

    use super::*;

    #[test]
    fn what_nobody_knows_of_is_left_to_a_person() {
        let judged = |recalled: Option<bool>| {
            let request = RequestBuilder::new().line_with("A1", 1, |line| {
                line.attributes.extend(recalled.map(|recalled| Attribute::new("recalled", recalled)));
            });
            testing::check::<Policy>(&request.build()).answer.unwrap().lines[0].remedy
        };
        assert_eq!([judged(Some(true)), judged(Some(false)), judged(None)], [Remedy::Allow, Remedy::Allow, Remedy::Review]);
    }
}
