//! An example: denies every line. It accepts the parameters of `purchase-match`, so that it can stand in its place.

use redress_plugin::eligibility::{Cx, Eligibility, Failure, Line, LineVerdict, Reason, Request, Verdict};

struct DenyAll;

#[redress_plugin::plugin(
    name = "deny-all",
    version = "0.1.0",
    params(window_days: optional integer, sku_digits: optional integer, sku_letters: optional text),
)]
impl Eligibility for DenyAll {
    fn evaluate(req: &Request, _cx: &Cx) -> Result<Verdict, Failure> {
        let deny = |line: &Line| LineVerdict::deny(line.index, Reason::new("denied_by_policy"));
        Ok(Verdict { lines: req.lines.iter().map(deny).collect(), ..Verdict::default() })
    }
}

#[cfg(test)]
mod tests {
    use redress_plugin::eligibility::Remedy;
    use redress_plugin::testing::{self, RequestBuilder};

    use super::*;

    #[test]
    fn every_line_is_denied_whatever_was_bought() {
        let case = RequestBuilder::new().arg("window_days", 90_i64).line("85123A", 1).line("POST", 2);
        let request = case.purchase("1", "85123A", 990, 1).build();
        let lines = testing::evaluate::<DenyAll>(&request).answer.unwrap().lines;
        let judged: Vec<_> = lines.iter().map(|line| (line.line, line.remedy, line.reasons[0].code.as_str())).collect();
        assert_eq!(judged, [(0, Remedy::Deny, "denied_by_policy"), (1, Remedy::Deny, "denied_by_policy")]);
    }
}
