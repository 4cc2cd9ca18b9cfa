//! Waiting for what a play is about, in bounded time.

use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::Stage;
use crate::provider::{
    adapter::Trouble,
    evidence::Evidence,
    item::Stop,
    protocol::{Event, Instruction, Push},
};

impl Stage {
    /// Returns as soon as something holds of the evidence, or when the time is over: `false`.
    ///
    /// # Errors
    /// The adapter is in trouble.
    pub(crate) async fn until(
        &self,
        within: Duration,
        holds: impl Fn(&Evidence) -> bool,
    ) -> Result<bool, Stop> {
        let waiting = async {
            loop {
                let began = Instant::now();
                if self.look(&holds) {
                    return Ok(true);
                }
                if let Some(trouble) = self.trouble() {
                    return Err(Stop::Trouble(trouble));
                }
                // Looking must not take all the time there is.
                let pause = (began.elapsed() * LOOKING_SHARE).max(LOOKING_PAUSE_MIN);
                self.recorder.changed().await;
                sleep(pause).await;
            }
        };
        match timeout(within, waiting).await {
            Ok(looked) => looked,
            Err(_) => Ok(self.look(&holds)),
        }
    }

    /// Waits until each push has a result, or the time is over: what is missing is the judge's to find.
    ///
    /// # Errors
    /// The adapter is in trouble.
    pub(crate) async fn results(&self, within: Duration) -> Result<bool, Stop> {
        self.until(within, |evidence| {
            let told = evidence.reported.iter().filter(|it| matches!(it.event, Event::Result(_)));
            evidence.sent.len() <= told.count()
        })
        .await
    }

    /// Has a push sent, and waits until the adapter has reported something, or the time is over: `false`. Nothing rests between two looks,
    /// so that pushes one after the other come as fast as the provider is.
    ///
    /// # Errors
    /// The adapter is in trouble.
    pub(crate) async fn send_and_wait(&mut self, within: Duration, push: Push) -> Result<bool, Stop> {
        let before = self.look(|evidence| evidence.reported.len());
        self.send(push).await?;
        let waiting = async {
            while self.look(|evidence| evidence.reported.len() == before) {
                if let Some(trouble) = self.trouble() {
                    return Err(Stop::Trouble(trouble));
                }
                self.recorder.changed().await;
            }
            Ok(true)
        };
        timeout(within, waiting).await.unwrap_or(Ok(false))
    }

    /// Lets time pass: where nothing must happen, there is nothing to wait for.
    ///
    /// # Errors
    /// The adapter is in trouble.
    pub(crate) async fn pass(&self, time: Duration) -> Result<(), Stop> {
        self.until(time, |_| false).await.map(drop)
    }

    /// Tells the adapter something, and waits for the event that answers it.
    ///
    /// # Errors
    /// The adapter could not do it, is in trouble, or says nothing.
    pub(crate) async fn ask(
        &self,
        what: &str,
        instruction: &Instruction,
        is_answer: fn(&Event) -> bool,
    ) -> Result<(), Stop> {
        let before = self.look(|evidence| evidence.reported.len());
        self.tell(instruction).await?;
        let answer = move |evidence: &Evidence| {
            let mut events = evidence.reported[before..].iter().map(|reported| &reported.event);
            events.find(|event| is_answer(event) || matches!(event, Event::Failed { .. })).cloned()
        };
        let within = self.command.patience;
        if !self.until(within, |evidence| answer(evidence).is_some()).await? {
            return Err(Trouble::Silent { awaited: format!("what answers `{what}`"), within }.into());
        }
        match self.look(answer) {
            Some(Event::Failed { why }) => Err(Trouble::Failed { what: what.to_owned(), why }.into()),
            _ => Ok(()),
        }
    }
}

/// How long anything may take that an adapter does at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough for what would follow at once to have followed.
pub(crate) const MOMENT: Duration = Duration::from_millis(300);
/// How much longer than looking the pause before the next look is.
const LOOKING_SHARE: u32 = 4;
/// The least pause between two looks.
const LOOKING_PAUSE_MIN: Duration = Duration::from_millis(2);
