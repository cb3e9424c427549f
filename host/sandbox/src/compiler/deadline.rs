//! The end of a child's time: it is killed then, whatever it does.

use std::io;
use std::process::Child;
use std::sync::mpsc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// A thread that kills one child unless that has ended before.
pub(super) struct Deadline {
    child: Pid,
    ended: mpsc::Sender<()>,
    thread: JoinHandle<bool>,
}

impl Deadline {
    /// Counts from now.
    pub(super) fn start(child: &Child, after: Duration) -> io::Result<Self> {
        let pid = Pid::from_child(child);
        let (ended, over) = mpsc::channel::<()>();
        let thread = Builder::new().name("sandbox-compile".to_owned()).spawn(move || {
            let is_late = over.recv_timeout(after) == Err(mpsc::RecvTimeoutError::Timeout);
            // Nobody takes the child's status before this thread has ended, so the number is still its own.
            is_late && kill_process_group(pid, Signal::KILL).is_ok()
        })?;
        Ok(Self { child: pid, ended, thread })
    }

    /// Waits until the child has ended, and leaves its status to be taken. Tells whether it had to be killed.
    pub(super) fn wait(self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(error) = waitid(WaitId::Pid(self.child), options) {
            if error != rustix::io::Errno::INTR {
                break;
            }
        }
        // A thread that is over already has nobody to tell.
        let _ = self.ended.send(());
        self.thread.join().unwrap_or(false)
    }
}
