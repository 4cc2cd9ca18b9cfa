//! Who is told that there may be something to do: everybody in this process, and on PostgreSQL in all others.
//!
//! What is told is never relied upon: a signal may be lost, or come twice. Whoever hears nothing looks by itself now and then.

use apns_provider_server_core::{
    device::Environment,
    ids::{AppId, NotificationId},
    lanes::Lane,
};
use tokio::sync::broadcast;

use super::{Source, Stop};

/// What may have changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signal {
    /// Anything: signals were lost.
    Anything,
    /// An app's settings, or whether it is paused.
    App(AppId),
    /// What an app authenticates with in an environment.
    Credential(Source),
    /// There is something to plan.
    Plan,
    /// Somebody has paused or cancelled something.
    Stop(Stop),
    /// There is something to tell webhooks.
    Webhooks,
    /// There is something to claim in a lane.
    Work(Lane),
}

/// Signals, from when it was made.
#[derive(Debug)]
pub struct Signals {
    receiver: broadcast::Receiver<Signal>,
}

impl Signals {
    /// The next one. When it was not asked for too long, [`Signal::Anything`]. It may be dropped and asked again: nothing is lost. After
    /// the store is closed there is none.
    pub async fn next(&mut self) -> Option<Signal> {
        match self.receiver.recv().await {
            Ok(signal) => Some(signal),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Signal::Anything),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// Where signals are told within this process.
#[derive(Clone, Debug)]
pub(super) struct Bell {
    sender: broadcast::Sender<Signal>,
}

impl Bell {
    pub(super) fn new() -> Self {
        Self { sender: broadcast::Sender::new(SIGNALS_KEPT) }
    }

    pub(super) fn ring(&self, signal: Signal) {
        let _ = self.sender.send(signal); // nobody has to listen
    }

    pub(super) fn listen(&self) -> Signals {
        Signals { receiver: self.sender.subscribe() }
    }
}

impl Signal {
    /// As other processes are told.
    pub(super) fn to_text(self) -> String {
        match self {
            Self::Anything => "anything".into(),
            Self::App(app) => format!("app:{app}"),
            Self::Credential(Source { app, environment }) => format!("credential:{app}:{environment}"),
            Self::Plan => "plan".into(),
            Self::Stop(Stop::Cancel(id)) => format!("cancel:{id}"),
            Self::Stop(Stop::PauseApp(app)) => format!("pause-app:{app}"),
            Self::Stop(Stop::PauseCampaign(id)) => format!("pause-campaign:{id}"),
            Self::Webhooks => "webhooks".into(),
            Self::Work(lane) => format!("work:{}", lane.number()),
        }
    }

    /// What another process tells. One that this version does not know may be anything.
    pub(super) fn from_text(text: &str) -> Self {
        let (what, which) = text.split_once(':').unwrap_or((text, ""));
        let app = |text: &str| text.parse().ok().map(AppId::new);
        let notification = || NotificationId::parse(which).ok();
        let known = match what {
            "app" => app(which).map(Self::App),
            "cancel" => notification().map(|id| Self::Stop(Stop::Cancel(id))),
            "credential" => which.split_once(':').and_then(|(number, environment)| {
                let environment = Environment::parse(environment).ok()?;
                Some(Self::Credential(Source { app: app(number)?, environment }))
            }),
            "pause-app" => app(which).map(|app| Self::Stop(Stop::PauseApp(app))),
            "pause-campaign" => notification().map(|id| Self::Stop(Stop::PauseCampaign(id))),
            "plan" => Some(Self::Plan),
            "webhooks" => Some(Self::Webhooks),
            "work" => which.parse().ok().and_then(Lane::from_number).map(Self::Work),
            _ => None,
        };
        known.unwrap_or(Self::Anything)
    }
}

/// Signals that one who does not listen may miss before it is told that it missed some.
const SIGNALS_KEPT: usize = 1024;

#[cfg(test)]
mod tests {
    use apns_provider_core::UnixTime;

    use super::*;

    #[test]
    fn other_processes_understand_every_signal() {
        let id = NotificationId::new(UnixTime::from_secs(1_700_000_000), [7; 10]);
        let app = AppId::new(3);
        for signal in [
            Signal::Anything,
            Signal::App(app),
            Signal::Credential(Source { app, environment: Environment::Sandbox }),
            Signal::Plan,
            Signal::Stop(Stop::Cancel(id)),
            Signal::Stop(Stop::PauseApp(app)),
            Signal::Stop(Stop::PauseCampaign(id)),
            Signal::Webhooks,
            Signal::Work(Lane::Urgent),
        ] {
            assert_eq!(Signal::from_text(&signal.to_text()), signal);
        }
        assert_eq!(Signal::from_text("something-new:7"), Signal::Anything);
    }

    #[tokio::test]
    async fn who_does_not_listen_for_long_is_told_to_look_at_everything() {
        let bell = Bell::new();
        let mut signals = bell.listen();
        for _ in 0..=SIGNALS_KEPT {
            bell.ring(Signal::Plan);
        }
        assert_eq!(signals.next().await, Some(Signal::Anything));
        assert_eq!(signals.next().await, Some(Signal::Plan));
    }
}
