//! The double's device gateway, and what a device needs to connect to it.

use std::{fs, future, net::SocketAddr};

use mock_apns::MockApns;
use tokio::sync::oneshot;

use crate::child::{AUTHORITY_FILE, Explain as _, Failure, Job, raise_open_files};

pub(super) async fn serve(job: Job, listening: oneshot::Sender<SocketAddr>) -> Result<(), Failure> {
    raise_open_files()?;
    let mock = MockApns::start().await.explain("starting the double")?;
    // In a directory that only this user can enter, and gone with it.
    let authority = mock.certificates().authority().to_pem();
    fs::write(job.directory.join(AUTHORITY_FILE), authority).explain("writing the authority")?;
    let _ = listening.send(mock.device_gateway());
    future::pending().await
}
