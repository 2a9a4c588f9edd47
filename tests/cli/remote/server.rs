//! Servers that a test starts, on loopback, with their data in a temporary directory.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::support::{binary, skipped, until};

/// A server. Dropping it ends it, and removes its data.
pub struct Server {
    directory: TempDir,
    words: Vec<String>,
    child: Option<Child>,
    pub port: u16,
}

/// The program of the server; `None` if a program that the test needs is missing.
fn program() -> Option<PathBuf> {
    let beside = binary().with_file_name("ipc-remote");
    if !beside.exists() {
        skipped("there is no ipc-remote beside ipc ('cargo build -p ipc-remote')");
        return None;
    }
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/nats-server");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).map(|directory| directory.join("nats-server"));
    let found = [python].into_iter().chain(others).find(|path| path.exists());
    if found.is_none() {
        skipped("there is no nats-server ('make tools')");
    }
    found
}

impl Server {
    /// A server with JetStream; `None` if a program that the test needs is missing.
    pub fn start() -> Option<Self> {
        Self::with(&["-js"])
    }

    /// A server with these options.
    pub fn with(options: &[&str]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap();
        let program = program()?;
        let own = [program.to_str().unwrap(), "-a", "127.0.0.1", "-sd", path];
        let words = own.iter().chain(options).map(|&word| word.to_owned()).collect();
        let mut server = Self { directory, words, child: None, port: 0 };
        server.restart();
        Some(server)
    }

    /// Starts it again, on the same port, and waits until it accepts connections.
    pub fn restart(&mut self) {
        self.kill();
        let port = if self.port == 0 { "-1".to_owned() } else { self.port.to_string() };
        let ports = self.directory.path().join("ports");
        fs::create_dir_all(&ports).unwrap();
        let child = Command::new(&self.words[0])
            .args(&self.words[1..])
            .args(["-p", &port, "--ports_file_dir", ports.to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let file = ports.join(format!("nats-server_{}.ports", child.id()));
        self.child = Some(child);
        let read = || {
            let text = fs::read_to_string(&file).ok()?;
            let all: serde_json::Value = serde_json::from_str(&text).ok()?;
            all["nats"][0].as_str()?.rsplit_once(':')?.1.parse().ok()
        };
        until("the server accepts connections", || read().is_some());
        self.port = read().unwrap();
    }

    /// Three servers that are one cluster.
    pub fn cluster() -> Option<[Self; 3]> {
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let routes = listeners
            .map(|listener| format!("nats://127.0.0.1:{}", listener.local_addr().unwrap().port()));
        let all = routes.join(",");
        let start = |number: usize| {
            let (name, own) = (format!("n{number}"), routes[number].as_str());
            let cluster = ["--cluster_name", "ipc", "--cluster", own, "--routes", &all];
            Self::with(&[&["-js", "-n", &name], &cluster[..]].concat())
        };
        Some([start(0)?, start(1)?, start(2)?])
    }

    /// The Python that has the client of the makers of the server; `None` if it is missing.
    pub fn python() -> Option<PathBuf> {
        let python = program()?.with_file_name("python3");
        let has_client = Command::new(&python).args(["-c", "import nats"]).status();
        if !has_client.is_ok_and(|status| status.success()) {
            skipped("there is no nats-py ('make tools')");
            return None;
        }
        Some(python)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("it runs");
        kill(Pid::from_raw(child.id() as i32), signal).expect("it is not reaped");
    }

    /// Kills it.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The name of an object on it.
    pub fn name(&self, path: &str) -> String {
        format!("nats://127.0.0.1:{}/{path}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
