//! Computes something for a workflow, which reads it as `<as>.out.<name>`: parameters in, values out.
//!
//! Parameters
//! - `days`: how many days it took.
//! - `most`: how many it may take.

use redress_plugin::step::{Attribute, Cx, Failure, Step, StepAnswer, StepRequest};

struct Policy;

#[redress_plugin::plugin(
    name = "{{name}}",
    version = "0.1.0",
    params(days: integer, most: integer = 14),
    provides(late: boolean, days_over: integer),
)]
impl Step for Policy {
    fn run(_req: &StepRequest, cx: &Cx) -> Result<StepAnswer, Failure> {
        let over = cx.arg_integer("days")?.saturating_sub(cx.arg_integer("most")?).max(0);
        let provides = vec![Attribute::new("late", over > 0), Attribute::new("days_over", over)];
        Ok(StepAnswer { provides, ..StepAnswer::default() })
    }
}
