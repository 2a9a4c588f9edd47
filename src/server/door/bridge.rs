//! Calls that arrive from a server of several machines, passed on to the door of this process: each is a
//! connection to the private socket of the door, in a thread of its own.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::door::{Caller, Content, Reason, Refused};
use crate::mechanism::remote::Error;
use crate::mechanism::remote::call::{Answer, Request, Requests};
use crate::mechanism::socket::address::Address;
use crate::sys::eventfd::Bell;
use crate::sys::thread;

/// Takes calls from a server until it is dropped.
pub struct Bridge {
    stop: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl Bridge {
    /// Passes these calls on to the door at this address.
    pub fn start(requests: Box<dyn Requests>, address: Address) -> Result<Self, Errno> {
        let stop = Arc::new(Bell::new()?);
        let work = Work { stop: Arc::clone(&stop), address, returned: Arc::default() };
        let thread = thread::start(|thread| thread.spawn(move || work.take(requests)))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.stop.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The state that the threads share.
#[derive(Clone)]
struct Work {
    stop: Arc<Bell>,
    address: Address,
    /// Calls that the door takes no more.
    returned: Arc<Mutex<Vec<Request>>>,
}

impl Work {
    /// Takes calls until the bell rings.
    fn take(self, mut requests: Box<dyn Requests>) {
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        while let Ok(Some(request)) = requests.next(&self.stop) {
            threads.retain(|thread| !thread.is_finished());
            let (own, refused) = (self.clone(), Arc::new(Mutex::new(Some(request))));
            let request = Arc::clone(&refused);
            let take = move || request.lock().unwrap_or_else(PoisonError::into_inner).take();
            let answer = move || take().into_iter().for_each(|request| own.answer(request));
            match thread::start(|thread| thread.spawn(answer)) {
                Ok(thread) => threads.push(thread),
                Err(errno) => {
                    let refused = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
                    refused.into_iter().for_each(|request| refuse(&request, &errno.to_string()));
                }
            }
        }
        // From now on, calls that are passed on do not come back.
        let _ = requests.close();
        self.pass_on_returned();
        threads.into_iter().for_each(|thread| drop(thread.join()));
        self.pass_on_returned();
    }

    fn pass_on_returned(&self) {
        let returned =
            mem::take(&mut *self.returned.lock().unwrap_or_else(PoisonError::into_inner));
        for request in returned {
            let _ = request.reply.pass_on();
        }
    }

    /// Has the door answer a call.
    fn answer(&self, mut request: Request) {
        let Ok(Waited::Done(caller)) = Caller::connect(&self.address, Deadline::NEVER) else {
            self.returned.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            self.stop.ring();
            return;
        };
        let argument = Content::Bytes(mem::take(&mut request.argument));
        let mut caller = caller.leaving_at(Arc::clone(&request.left));
        let answer = match caller.call(argument, &[]) {
            Ok(Waited::Done(answer)) => {
                let [stdout, stderr] = answer.contents;
                match (stdout.into_bytes(), stderr.into_bytes()) {
                    (Ok(stdout), Ok(stderr)) => {
                        Answer::Answer { status: answer.status, outputs: [stdout, stderr] }
                    }
                    (Err(errno), _) | (_, Err(errno)) => refusal(&errno.to_string()),
                }
            }
            // The caller has left.
            Ok(Waited::TimedOut) => return,
            Err(Refused::Refused(reason, words)) => {
                Answer::Refusal { reason: reason as u32, words }
            }
            Err(error) => refusal(&error.to_string()),
        };
        if let Err(Error::TooLarge { limit }) = request.reply.answer(&answer) {
            let words = format!("the answer is longer than the server allows ({limit} bytes)");
            let _ =
                request.reply.answer(&Answer::Refusal { reason: Reason::TooLong as u32, words });
        }
    }
}

fn refusal(words: &str) -> Answer {
    Answer::Refusal { reason: Reason::Failed as u32, words: words.to_owned() }
}

fn refuse(request: &Request, words: &str) {
    let _ = request.reply.answer(&refusal(words));
}
