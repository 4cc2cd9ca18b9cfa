//! Plays whose clock is turned.

use std::time::Duration;

use super::{
    super::super::{
        item::Stop,
        protocol::Options,
        stage::{PATIENCE, Stage},
    },
    issued_at,
};

/// Seconds of a minute.
pub(super) const MINUTE: i64 = 60;
/// How far ahead the clock of such a play is from the beginning: what says otherwise does not go by it.
const BEGINNING: Duration = Duration::from_hours(24);

/// Has a client made and a first push sent, a day from now by the play's clock and so many seconds more by the provider's.
///
/// # Errors
/// It cannot, or the provider does not go by the clock that was made for it.
pub(super) async fn begin(stage: &mut Stage, skew: i64, options: Options) -> Result<(), Stop> {
    pass(stage, Duration::ZERO, skew).await?;
    stage.configure(options).await?;
    stage.send(stage.push()).await?;
    stage.results(PATIENCE).await?;
    let date = stage.date().as_secs().cast_signed();
    let first = stage.look(|evidence| evidence.requests().first().and_then(|it| issued_at(it).ok()));
    let is_far_off = first.is_some_and(|issued_at| date - issued_at > BEGINNING.as_secs().cast_signed() / 2);
    if is_far_off && stage.has_fake_clock() {
        let why = "it cannot be told the time, and does not go by libfaketime's";
        return Err(Stop::NotApplicable(why.to_owned()));
    }
    Ok(())
}

/// So long after the beginning by the play's clock, and so many seconds more by the provider's.
///
/// # Errors
/// The adapter cannot be told.
pub(super) async fn pass(stage: &mut Stage, since: Duration, skew: i64) -> Result<(), Stop> {
    stage.set_clocks(BEGINNING + since, skew).await
}

/// Minutes and seconds, for people.
pub(super) fn told(seconds: i64) -> String {
    let (sign, seconds) = (if seconds < 0 { "-" } else { "" }, seconds.abs());
    format!("{sign}{} min {} s", seconds / MINUTE, seconds % MINUTE)
}
