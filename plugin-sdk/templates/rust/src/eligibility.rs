//! Says of each line whether it may come back: so many units at once and no more.
//!
//! Parameters
//! - `most`: how many units of one line may come back.

use redress_plugin::eligibility::{Cx, Eligibility, Failure, Line, LineVerdict, Reason, Request, Verdict};

struct Policy;

#[redress_plugin::plugin(name = "{{name}}", version = "0.1.0", params(most: integer = 10))]
impl Eligibility for Policy {
    fn evaluate(req: &Request, cx: &Cx) -> Result<Verdict, Failure> {
        let most = cx.arg_integer("most")?;
        Ok(Verdict { lines: req.lines.iter().map(|line| judge(line, most)).collect(), ..Verdict::default() })
    }
}

fn judge(line: &Line, most: i64) -> LineVerdict {
    if i64::from(line.quantity) <= most {
        return LineVerdict::allow(line.index, line.quantity);
    }
    // A reason teaches: a code, what it looked at, and the number that would have changed it.
    let reason = Reason::new("too_many").using(["line.quantity", "args.most"]);
    LineVerdict::deny(line.index, reason.with("quantity", line.quantity).with("most", most))
}

#[cfg(test)]
mod tests {
    use redress_plugin::eligibility::Remedy;
    use redress_plugin::testing::{self, RequestBuilder};

    use super::*;

    #[test]
    fn more_units_than_the_most_are_denied() {
        let judged = |quantity| {
            let request = RequestBuilder::new().arg("most", 3_i64).line("A1", quantity).build();
            testing::evaluate::<Policy>(&request).answer.unwrap().lines[0].remedy
        };
        assert_eq!([judged(3), judged(4)], [Remedy::Allow, Remedy::Deny]);
    }
}
