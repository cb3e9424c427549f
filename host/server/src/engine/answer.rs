//! What a job owes to whoever handed it in.

use super::{Error, Receipt};

/// How whoever handed a command in learns what came of it.
pub(super) type Reply = Box<dyn FnOnce(Result<Receipt, Error>) + Send>;

/// The reply of a job; whatever becomes of the job, it is given once.
pub(super) struct Answer(Option<Reply>);

impl Answer {
    pub(super) fn new(reply: Reply) -> Self {
        Self(Some(reply))
    }

    pub(super) fn give(mut self, result: Result<Receipt, Error>) {
        if let Some(reply) = self.0.take() {
            reply(result);
        }
    }

    /// Give none: whoever handed the job in learns it in another way.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(reply) = self.0.take() {
            reply(Err(Error::Internal));
        }
    }
}
