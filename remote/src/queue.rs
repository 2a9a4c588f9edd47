//! The queues of a server behind the interface of `ipc`, whose calls wait.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_nats::header::HeaderMap;
use ipc_suite::remote::queue::{
    Acknowledged, Claim, Ends, Failure, Letter, Limits, Message, Progress, Queue, QueueKind,
    Queues, Sent, State,
};
use ipc_suite::remote::{Creation, Deadline, Error, Waited, since_boot, start_thread};
use tokio::sync::Notify;

use crate::connection::Connection;
use crate::descriptor::{closed, rung};
use crate::stream::{self, ACK_WAIT, Api, Delivery, Info, Published, Stored, Verdict};
use crate::work_queue::{self, Kind, Place, WorkQueue};

/// The header with the time before which no worker takes a message.
const DUE: &str = "Ipc-Due";

/// The headers of a message that failed.
const PRIORITY: &str = "Ipc-Priority";
const STATUS: &str = "Ipc-Status";
const REASON: &str = "Ipc-Reason";

/// The time in which the server has to confirm that a message was removed, where it need not be the only
/// one that has it.
const CONFIRMATION: Duration = Duration::from_secs(10);

/// The connection that requests to streams use. Several threads may.
#[derive(Clone)]
struct Link {
    connection: Arc<Connection>,
    api: Api,
}

impl Link {
    /// Waits for a request, which has a deadline of its own.
    fn run<T>(&self, request: impl Future<Output = Result<T, stream::Error>>) -> Result<T, Error> {
        let request = async { request.await.map_err(Error::from) };
        match self.connection.wait(Deadline::NEVER, request)? {
            Waited::Done(result) => Ok(result),
            Waited::TimedOut => Err(Error::Unanswered),
        }
    }
}

/// The queues of one kind.
pub struct RemoteQueues {
    link: Link,
    kind: Kind,
}

impl RemoteQueues {
    /// The queues of this kind on a server.
    pub fn new(connection: Connection, kind: QueueKind) -> Self {
        let api = Api::new(connection.client().clone());
        let link = Link { connection: Arc::new(connection), api };
        let kind = match kind {
            QueueKind::Mq => Kind::Mq,
            QueueKind::Spool => Kind::Spool,
        };
        Self { link, kind }
    }

    fn place(&self, key: &str) -> Place {
        Place::new(self.kind, key)
    }
}

impl Queues for RemoteQueues {
    fn create(
        &mut self,
        key: &str,
        limits: Limits,
        creation: Creation,
        deadline: Deadline,
    ) -> Result<Waited<bool>, Error> {
        let Limits { max_msgs, msg_size, max_bytes } = limits;
        let replicas = u32::try_from(creation.replicas).unwrap_or(u32::MAX);
        let limits = work_queue::Limits { max_msgs, max_bytes, msg_size, replicas };
        let place = self.place(key);
        let create = WorkQueue::create(&self.link.api, &place, limits, deadline);
        self.link.run(create)
    }

    fn open(
        self: Box<Self>,
        key: &str,
        deadline: Deadline,
    ) -> Result<Waited<Box<dyn Queue>>, Error> {
        let place = self.place(key);
        let opened = self.link.run(WorkQueue::open(&self.link.api, &place, deadline))?;
        Ok(opened.map(|queue| Box::new(RemoteQueue::new(self.link, queue)) as Box<dyn Queue>))
    }

    fn state(&mut self, key: &str, deadline: Deadline) -> Result<Waited<State>, Error> {
        let place = self.place(key);
        let stream = place.stream();
        let info = self.link.run(self.link.api.info(&stream, None, deadline))?;
        Ok(info.map(|info| state(&place, &info)))
    }

    fn list(&mut self, prefix: &str, deadline: Deadline) -> Result<Waited<Vec<State>>, Error> {
        let subjects = format!("{}>", self.kind.subject_prefix());
        let listed = self.link.run(self.link.api.list(&subjects, deadline))?;
        let within = |place: &Place| {
            let rest = place.key().strip_prefix(prefix);
            prefix.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        Ok(listed.map(|infos| {
            let states = infos.iter().filter_map(|info| {
                let place = Place::of_stream(self.kind, info.name()).filter(within)?;
                Some(state(&place, info))
            });
            states.collect()
        }))
    }

    fn remove(&mut self, key: &str, deadline: Deadline) -> Result<Waited, Error> {
        let stream = self.place(key).stream();
        self.link.run(self.link.api.remove(&stream, deadline))
    }
}

fn state(place: &Place, info: &Info) -> State {
    State {
        key: place.key().to_owned(),
        limits: Limits {
            max_msgs: info.max_msgs(),
            msg_size: info.msg_size(),
            max_bytes: info.max_bytes(),
        },
        messages: info.messages(),
        bytes: info.bytes(),
        replicas: info.replicas(),
        leader: info.leader().map(str::to_owned),
    }
}

/// The claims of a queue, whose messages are reported to the server as being processed.
type Claims = Arc<Mutex<BTreeMap<u64, Delivery>>>;

/// An open queue.
struct RemoteQueue {
    link: Link,
    queue: WorkQueue,
    claims: Claims,
    next_claim: u64,
    /// The thread that reports the claims to the server, from the first one on.
    reporter: Option<JoinHandle<()>>,
    /// Ends that thread.
    end: Arc<Notify>,
}

impl fmt::Debug for RemoteQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteQueue").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl RemoteQueue {
    fn new(link: Link, queue: WorkQueue) -> Self {
        let (claims, end) = (Claims::default(), Arc::default());
        Self { link, queue, claims, next_claim: 0, reporter: None, end }
    }

    fn claims(&self) -> MutexGuard<'_, BTreeMap<u64, Delivery>> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a claim.
    fn take_claim(&self, claim: &Claim) -> Option<Delivery> {
        self.claims().remove(&claim.0)
    }

    /// Starts the thread that reports claims.
    fn start_reporter(&mut self) -> Result<(), Error> {
        let (claims, link, end) =
            (Arc::clone(&self.claims), self.link.clone(), Arc::clone(&self.end));
        let work = move || {
            let _ = link.connection.wait(Deadline::NEVER, async {
                tokio::select! {
                    () = report(&claims, &link.api) => {}
                    () = end.notified() => {}
                }
                Ok(())
            });
        };
        let started = start_thread(|thread| thread.spawn(work));
        self.reporter = Some(started.map_err(|errno| Error::Server(errno.to_string()))?);
        Ok(())
    }

    fn message(&self, delivery: &Delivery) -> Message {
        let (priority, name) = self.queue.place().parts(&delivery.subject).unwrap_or_default();
        Message {
            sequence: delivery.sequence,
            bytes: delivery.payload.to_vec(),
            priority: priority.unwrap_or(0),
            name,
            failure: None,
            deliveries: u32::try_from(delivery.deliveries).unwrap_or(u32::MAX),
            due: delivery.headers.get(DUE).and_then(|due| due.as_str().parse().ok()).unwrap_or(0),
            sent: delivery.sent(),
        }
    }
}

impl Drop for RemoteQueue {
    fn drop(&mut self) {
        if let Some(reporter) = self.reporter.take() {
            self.end.notify_one();
            let _ = reporter.join();
        }
        let Self { link, queue, .. } = self;
        let _ = link.run(async {
            queue.leave().await;
            Ok(())
        });
    }
}

impl Queue for RemoteQueue {
    fn limit(&self) -> usize {
        self.queue.limit()
    }

    fn state(&mut self, deadline: Deadline) -> Result<Waited<State>, Error> {
        let info = self.link.run(self.queue.info(deadline))?;
        Ok(info.map(|info| state(self.queue.place(), &info)))
    }

    fn identity(&self) -> String {
        let info = self.link.api.client().server_info();
        let server = info.cluster.unwrap_or(info.server_id);
        format!("{server} {}", self.queue.place().stream())
    }

    fn send(&mut self, letter: Letter<'_>, ends: Ends<'_>) -> Result<Waited<Sent>, Error> {
        let Self { link, queue, .. } = self;
        let limit = queue.limit();
        let request = until(ends, async { sent(queue.send(of(letter), ends.deadline).await) });
        link.run(request)?
            .map_or(Ok(Waited::TimedOut), |sent| sent.ok_or(Error::TooLarge { limit }))
    }

    fn send_all(
        &mut self,
        letters: &[Letter<'_>],
        progress: &mut dyn Progress,
    ) -> Result<Waited<Sent>, Error> {
        let Self { link, queue, .. } = self;
        let (limit, letters) = (queue.limit(), letters.iter().copied().map(of));
        let request = async { sent(queue.send_all(letters, progress).await) };
        link.run(request)?.ok_or(Error::TooLarge { limit })
    }

    fn expect(&mut self, count: u64) {
        self.queue.expect(count);
    }

    fn claim(&mut self) -> Result<Option<(Claim, Message)>, Error> {
        let Self { link, queue, .. } = self;
        let taken = link.run(queue.take(Deadline::PASSED))?;
        let Waited::Done(Some(delivery)) = taken else { return Ok(None) };
        let message = self.message(&delivery);
        let number = self.next_claim;
        self.next_claim += 1;
        self.claims().insert(number, delivery);
        Ok(Some((Claim(number), message)))
    }

    fn keep_claims(&mut self) -> Result<(), Error> {
        if self.reporter.is_none() { self.start_reporter() } else { Ok(()) }
    }

    fn acknowledge(&mut self, claim: Claim) -> Result<Acknowledged, Error> {
        let Some(delivery) = self.take_claim(&claim) else { return Ok(Acknowledged::Unknown) };
        let api = &self.link.api;
        let is_own = Duration::ZERO < delivery.left();
        if is_own {
            let left = delivery.left();
            let answered = self.link.run(api.answer(&delivery, Verdict::Done, left))?;
            if answered == Waited::Done(()) {
                return Ok(Acknowledged::Own);
            }
        }
        let answered = self.link.run(api.answer(&delivery, Verdict::Done, CONFIRMATION))?;
        Ok(match answered {
            Waited::Done(()) => Acknowledged::Late,
            Waited::TimedOut => Acknowledged::Unknown,
        })
    }

    fn release(&mut self, claim: Claim, delay: Duration) -> Result<(), Error> {
        let Some(delivery) = self.take_claim(&claim) else { return Ok(()) };
        let again = Verdict::Again(delay);
        // If the server does not get it, it delivers the message again after its own time.
        let limit = delivery.left().min(CONFIRMATION);
        let _: Waited = self.link.run(self.link.api.answer(&delivery, again, limit))?;
        Ok(())
    }

    fn wait(&mut self, ends: Ends<'_>) -> Result<Waited, Error> {
        let Self { link, queue, .. } = self;
        let waited = link.run(until(ends, queue.wait(ends.deadline)));
        Ok(waited?.unwrap_or(Waited::TimedOut))
    }

    fn give_back(&mut self) -> Result<(), Error> {
        let Self { link, queue, .. } = self;
        link.run(queue.give_back())
    }

    fn copy(&mut self, from: u64, deadline: Deadline) -> Result<Waited<Option<Message>>, Error> {
        let stored = self.link.run(self.queue.copy(from, deadline))?;
        Ok(stored.map(|stored| stored.map(|stored| self.stored(stored))))
    }

    fn fail(&mut self, claim: Claim, failure: &Failure) -> Result<(), Error> {
        let Some(delivery) = self.claims().get(&claim.0).cloned() else { return Ok(()) };
        let priority = self.queue.place().priority(&delivery.subject).unwrap_or(0);
        let mut headers = HeaderMap::new();
        headers.insert(PRIORITY, priority.to_string());
        headers.insert(STATUS, failure.status.to_string());
        headers.insert(REASON, failure.reason.replace(['\r', '\n'], " "));
        let until = Deadline::after(CONFIRMATION);
        let aside = self.link.run(self.queue.set_aside(&delivery, headers, until))?;
        match aside {
            // A message of this name has failed before, which this one would hide.
            Waited::Done(Published::Taken) => self.release(claim, ACK_WAIT),
            Waited::Done(Published::Stored(_)) => match self.acknowledge(claim)? {
                Acknowledged::Own | Acknowledged::Late => Ok(()),
                Acknowledged::Unknown => Err(Error::Unanswered),
            },
            Waited::Done(Published::Full) | Waited::TimedOut => Err(Error::Unanswered),
        }
    }

    fn requeue(&mut self, message: &Message, deadline: Deadline) -> Result<Waited, Error> {
        let identity = format!("requeue {} {}", self.queue.place().stream(), message.sequence);
        let letter = Letter {
            bytes: &message.bytes,
            priority: message.priority,
            identity: Some(&identity),
            name: &message.name,
            due: 0,
        };
        match self.send(letter, deadline.into())? {
            Waited::Done(Sent::Stored) => {}
            Waited::Done(Sent::NameInUse) => return Err(Error::Exists),
            Waited::TimedOut => return Ok(Waited::TimedOut),
        }
        self.erase(message, deadline)
    }

    fn erase(&mut self, message: &Message, deadline: Deadline) -> Result<Waited, Error> {
        self.link.run(self.queue.erase(message.sequence, deadline))
    }

    fn failed(&mut self, deadline: Deadline) -> Result<Waited<u64>, Error> {
        self.link.run(self.queue.failed(deadline))
    }

    fn claimed(&mut self, deadline: Deadline) -> Result<Waited<u64>, Error> {
        self.link.run(self.queue.in_hand(deadline))
    }
}

impl RemoteQueue {
    fn stored(&self, stored: Stored) -> Message {
        let (priority, name) = self.queue.place().parts(&stored.subject).unwrap_or_default();
        let number = |name: &str| stored.header(name).and_then(|text| text.parse().ok());
        let failure = priority.is_none().then(|| Failure {
            status: number(STATUS).unwrap_or(0) as u8,
            reason: stored.header(REASON).unwrap_or_default().to_owned(),
        });
        let priority = priority.or(number(PRIORITY).map(|it| it as u32)).unwrap_or(0);
        let due = number(DUE).unwrap_or(0);
        let Stored { sequence, bytes, sent, .. } = stored;
        Message { sequence, bytes, priority, name, deliveries: 0, due, sent, failure }
    }
}

/// A letter with the headers that the server stores.
fn of(letter: Letter<'_>) -> work_queue::Letter<'_> {
    let Letter { bytes, priority, identity, name, due } = letter;
    let mut headers = HeaderMap::new();
    if due != 0 {
        headers.insert(DUE, due.to_string());
    }
    work_queue::Letter { priority, name, id: identity.map(str::to_owned), headers, bytes }
}

/// The outcome of sending; `None` if the message is too long.
fn sent(
    published: Result<Waited<Published>, stream::Error>,
) -> Result<Option<Waited<Sent>>, stream::Error> {
    Ok(Some(match published {
        Err(stream::Error::TooLong) => return Ok(None),
        published => match published? {
            Waited::Done(Published::Stored(_)) => Waited::Done(Sent::Stored),
            Waited::Done(Published::Taken) => Waited::Done(Sent::NameInUse),
            Waited::Done(Published::Full) | Waited::TimedOut => Waited::TimedOut,
        },
    }))
}

/// Reports the messages of these claims to the server, for as long as it is not aborted.
async fn report(claims: &Claims, api: &Api) {
    const INTERVAL: Duration = Duration::from_secs(10);
    const _: () = assert!(INTERVAL.as_secs() * 3 <= ACK_WAIT.as_secs());
    let locked = || claims.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        tokio::time::sleep(INTERVAL).await;
        let all: Vec<(u64, Delivery)> =
            locked().iter().map(|(&number, delivery)| (number, delivery.clone())).collect();
        let reports = all.into_iter().map(async |(number, delivery)| {
            let at = since_boot();
            let answered = api.answer(&delivery, Verdict::InProgress, INTERVAL).await;
            if let (Ok(Waited::Done(())), Some(delivery)) = (answered, locked().get_mut(&number)) {
                delivery.renewed(at);
            }
        });
        futures_util::future::join_all(reports).await;
    }
}

/// The result of a request; `None` if the bell rings or the sink is closed before.
async fn until<T>(
    ends: Ends<'_>,
    request: impl Future<Output = Result<T, stream::Error>>,
) -> Result<Option<T>, stream::Error> {
    tokio::select! {
        result = request => result.map(Some),
        () = rung(ends.bell) => Ok(None),
        () = closed(ends.sink) => Ok(None),
    }
}
