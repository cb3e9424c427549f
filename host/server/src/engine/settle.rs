//! Outcomes of effects from whoever sent them: recorded with the claim under which they were sent, so that an outcome and the
//! end of its work are one commit.

use redress_domain::case::command::{Actor, Body, Settle};
use redress_domain::ids::CaseId;
use redress_store::batch::Batch;
use redress_store::queue::queue;
use redress_store::row::Row;
use redress_store::work::ClaimRef;

use super::{Doing, Engine, Error, Receipt, Submission, Target};

impl Engine {
    /// Tell the outcome of an effect that was sent under a claim, together with the rows that tell of the sending. A claim that
    /// was lost fails with `Fenced`: somebody else sends the effect. What the rules refuse is done with.
    ///
    /// # Errors
    /// As `execute`.
    pub fn settle(&self, case: CaseId, settle: Settle, claim: ClaimRef, rows: Vec<Row>) -> Result<Receipt, Error> {
        let submission = Submission::new(Target::Case(case), Actor::host(), "outbox", Body::Settle(settle));
        let (sender, mut answer) = queue(1);
        let doing = Doing { rows: rows.clone(), ..Doing::new(claim.clone()) };
        self.hand_in(submission, Some(doing), Box::new(move |result| drop(sender.send(result))))?;
        let result = answer.take().unwrap_or(Err(Error::Stopped));
        if let Err(Error::Rejected(_)) = &result {
            let mut batch = Batch { rows, ..Batch::default() };
            batch.work.finish.push(claim);
            self.store().append(batch)?;
        }
        result
    }
}
