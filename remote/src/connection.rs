//! A connection, and the run-time that its requests run in, for callers that wait.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::{Client, ConnectError, ConnectOptions, Event, ServerError};
use ipc_suite::remote::{Deadline, Error, Waited, escape, keep_signals_away};
use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::sync::Notify;

/// The longest time for a single request without a deadline.
const REQUEST: Duration = Duration::from_secs(10);

/// A connection to a server of a cluster, which the client renews if it breaks.
pub struct Connection {
    /// Taken when it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    refusal: Arc<Refusal>,
}

/// What the server forbids: it tells so beside the answers, and does not answer the request.
#[derive(Default)]
struct Refusal {
    text: Mutex<Option<String>>,
    arrived: Notify,
}

impl Connection {
    /// Connects to one of these servers.
    pub fn open(
        hosts: &[String],
        options: ConnectOptions,
        explain: fn(&ConnectError) -> Error,
        deadline: Deadline,
    ) -> Result<Waited<Self>, Error> {
        // Threads of the run-time look host names up.
        let runtime = Builder::new_current_thread()
            .enable_all()
            .on_thread_start(keep_signals_away)
            .build()
            .map_err(|error| Error::Server(error.to_string()))?;
        let refusal = Arc::<Refusal>::default();
        let told = Arc::clone(&refusal);
        let options = options.event_callback(move |event| {
            if let Event::ServerError(ServerError::Other(text)) = event {
                told.set(text);
            }
            async {}
        });
        let connect = async { options.connect(hosts).await.map_err(|error| explain(&error)) };
        // Each host has a time limit of its own.
        let limit = Limit::new(deadline, REQUEST * hosts.len().max(1) as u32);
        let connected = limit.apply(&runtime, connect)?;
        Ok(connected.map(|client| Self { runtime: Some(runtime), client, refusal }))
    }

    /// The client, for requests within [`Connection::run`].
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The version of the server.
    pub fn server_version(&self) -> String {
        self.client.server_info().version
    }

    /// Enters the run-time, which the drop of a subscription needs.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.as_ref().expect("it is taken by drop alone").enter()
    }

    /// Runs a request. Without a deadline, or if that has passed already, it takes a limited time.
    ///
    /// # Errors
    /// [`Error::Unanswered`] after that time; [`Error::Denied`] if the server forbids it.
    pub fn run<T>(
        &self,
        deadline: Deadline,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<Waited<T>, Error> {
        let runtime = self.runtime.as_ref().expect("it is taken by drop alone");
        let request = async {
            tokio::select! {
                biased;
                result = request => result,
                text = self.refusal.wait() => Err(Error::Denied(text)),
            }
        };
        Limit::new(deadline, REQUEST).apply(runtime, request)
    }

    /// Waits for an event until the deadline.
    ///
    /// # Errors
    /// [`Error::Denied`] if the server forbids the request.
    pub fn wait<T>(
        &self,
        deadline: Deadline,
        event: impl Future<Output = Result<T, Error>>,
    ) -> Result<Waited<T>, Error> {
        let runtime = self.runtime.as_ref().expect("it is taken by drop alone");
        let event = async {
            tokio::select! {
                biased;
                result = event => result.map(Waited::Done),
                text = self.refusal.wait() => Err(Error::Denied(text)),
                () = sleep(deadline) => Ok(Waited::TimedOut),
            }
        };
        runtime.block_on(event)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A thread may look up a host name, which takes long.
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

async fn sleep(deadline: Deadline) {
    match deadline.remaining() {
        Some(left) => tokio::time::sleep(left).await,
        None => std::future::pending().await,
    }
}

impl Refusal {
    fn set(&self, text: String) {
        let text = escape(text.as_bytes()).into_owned();
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        self.arrived.notify_one();
    }

    async fn wait(&self) -> String {
        loop {
            self.arrived.notified().await;
            let text = self.text.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(text) = text.filter(|text| text.to_lowercase().contains("permissions")) {
                return text;
            }
        }
    }
}

/// The time for a request, and what it means that it is over.
struct Limit {
    time: Duration,
    is_deadline: bool,
}

impl Limit {
    fn new(deadline: Deadline, longest: Duration) -> Self {
        match deadline.remaining() {
            Some(left) if !left.is_zero() && left < longest => {
                Self { time: left, is_deadline: true }
            }
            _ => Self { time: longest, is_deadline: false },
        }
    }

    fn apply<T>(
        self,
        runtime: &Runtime,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<Waited<T>, Error> {
        match runtime.block_on(async { tokio::time::timeout(self.time, request).await }) {
            Ok(result) => result.map(Waited::Done),
            Err(_) if self.is_deadline => Ok(Waited::TimedOut),
            Err(_) => Err(Error::Unanswered),
        }
    }
}
