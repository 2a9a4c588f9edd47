//! Events of descriptors, as what ends a wait for the server.

use std::os::fd::{AsFd, BorrowedFd};

use tokio::io::Interest;
use tokio::net::unix::pipe::{Receiver, Sender};

/// Waits until a bell rings; without one, without end.
pub async fn rung(bell: Option<impl AsFd>) {
    // A descriptor can be waited for once; another wait of this process may be for the same.
    let own = bell.and_then(|bell| bell.as_fd().try_clone_to_owned().ok());
    let bell = own.and_then(|own| Receiver::from_owned_fd_unchecked(own).ok());
    match bell {
        Some(bell) if bell.readable().await.is_ok() => {}
        _ => std::future::pending().await,
    }
}

/// Waits until the reader of a pipe has closed it; for what has no events, without end.
pub async fn closed(sink: Option<BorrowedFd<'_>>) {
    let own = sink.and_then(|sink| sink.try_clone_to_owned().ok());
    let sink = own.and_then(|own| Sender::from_owned_fd_unchecked(own).ok());
    match sink {
        Some(sink) if sink.ready(Interest::ERROR).await.is_ok() => {}
        _ => std::future::pending().await,
    }
}
