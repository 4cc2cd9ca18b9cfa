//! An honest provider beside an attack.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::{task::JoinHandle, time::interval};

use crate::{process::Process, support::Peer};

/// An answer, or a new connection and an answer on it, takes no longer, on a busy machine; unoptimised, everything takes ten times as
/// long, the attack above all.
const ANSWER_MAX: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 5 });

/// How often it pushes: seldom enough to leave the processor to the attack.
const ROUND: Duration = Duration::from_millis(20);

/// One that pushes until it is told that it is enough, on one connection and on a new one each time.
pub(crate) struct Honest {
    enough: Arc<AtomicBool>,
    pushing: JoinHandle<Served>,
}

/// What it saw.
#[derive(Debug, Default)]
struct Served {
    rounds: u32,
    slowest: Duration,
}

impl Honest {
    /// Starts; when this returns, it has been served once.
    pub(crate) async fn start(process: &Process, folder: &Path) -> Self {
        let (port, config) = (process.port("sandbox"), Process::client_config(folder));
        let (token, authorization) = (process.device_token(), Process::authorization(folder));
        let enough = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&enough);
        let push = async move |peer: &mut Peer| {
            let fields = [("authorization", &*authorization), ("apns-topic", "com.example.app")];
            let begun = Instant::now();
            let answer = peer.answer(&token, &fields, r#"{"aps":{"alert":"Hello"}}"#).await;
            assert_eq!(answer.0, 200, "{}", answer.1);
            peer.seen.clear();
            begun.elapsed()
        };
        let mut old = Peer::dial(port, config.clone()).await.unwrap();
        push(&mut old).await;
        let pushing = tokio::spawn(async move {
            let mut served = Served::default();
            let mut every = interval(ROUND);
            while served.rounds == 0 || !until.load(Relaxed) {
                every.tick().await;
                let on_old = push(&mut old).await;
                let begun = Instant::now();
                let mut new = Peer::dial(port, config.clone()).await.unwrap();
                push(&mut new).await;
                served.rounds += 1;
                served.slowest = served.slowest.max(on_old).max(begun.elapsed());
            }
            served
        });
        Self { enough, pushing }
    }

    /// The attack is over: it was served all the while.
    pub(crate) async fn was_served(self) {
        self.enough.store(true, Relaxed);
        let served = self.pushing.await.unwrap();
        assert!(served.rounds > 0 && served.slowest <= ANSWER_MAX, "{served:?}");
    }
}
