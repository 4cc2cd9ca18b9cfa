//! How long something takes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::{chance::Chance, span::Span};

/// How long something takes: always the same, or another time each time.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(from = "Form", into = "Form")]
pub enum Delay {
    /// Always the same.
    Always(Duration),
    /// Between two bounds, each time in between as likely.
    Between {
        /// The least.
        from: Duration,
        /// The most.
        to: Duration,
    },
    /// As waiting for something that happens by chance: exponential around this mean, cut at ten times it.
    Mean(Duration),
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a delay is a duration such as \"2s\", {\"from\": \"10ms\", \"to\": \"2s\"}, or {\"mean\": \"200ms\"}"
)]
enum Form {
    Always(Span),
    Between { from: Span, to: Span },
    Mean { mean: Span },
}

impl From<Form> for Delay {
    fn from(form: Form) -> Self {
        match form {
            Form::Always(Span(delay)) => Self::Always(delay),
            Form::Between { from: Span(from), to: Span(to) } => Self::Between { from, to },
            Form::Mean { mean: Span(mean) } => Self::Mean(mean),
        }
    }
}

impl From<Delay> for Form {
    fn from(delay: Delay) -> Self {
        match delay {
            Delay::Always(delay) => Self::Always(Span(delay)),
            Delay::Between { from, to } => Self::Between { from: Span(from), to: Span(to) },
            Delay::Mean(mean) => Self::Mean { mean: Span(mean) },
        }
    }
}

impl Delay {
    pub(super) fn check(self) -> Result<(), String> {
        match self {
            Self::Between { from, to } if from > to => Err("a delay's from is more than its to".to_owned()),
            _ => Ok(()),
        }
    }

    /// How long it takes this time. A constant draws nothing.
    pub(in super::super) fn draw(self, chance: &mut Chance) -> Duration {
        match self {
            Self::Always(delay) => delay,
            Self::Between { from, to } => from + to.saturating_sub(from).mul_f64(chance.draw()),
            Self::Mean(mean) => mean.mul_f64((-(1.0 - chance.draw()).ln()).min(MEANS_MAX)),
        }
    }
}

/// An exponential delay takes as long as that in one of twenty thousand cases; without an end, a test would wait for luck.
const MEANS_MAX: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultName;

    fn draws(json: &str) -> Vec<Duration> {
        let delay: Delay = serde_json::from_str(json).unwrap();
        let mut chance = Chance::new(Some(7), 0, &FaultName::parse("x").unwrap());
        (0..2000).map(|_| delay.draw(&mut chance)).collect()
    }

    #[test]
    fn a_delay_stays_within_what_it_says() {
        let ms = Duration::from_millis;
        assert!(draws(r#""2s""#).iter().all(|it| *it == ms(2000)));
        let between = draws(r#"{"from": "10ms", "to": "20ms"}"#);
        assert!(between.iter().all(|it| (ms(10)..=ms(20)).contains(it)));
        assert!(between.iter().any(|it| *it < ms(12)) && between.iter().any(|it| *it > ms(18)));
        let around = draws(r#"{"mean": "100ms"}"#);
        let mean = around.iter().sum::<Duration>() / around.len() as u32;
        assert!((ms(90)..ms(110)).contains(&mean), "{mean:?}");
        assert!(around.iter().all(|it| *it <= ms(1000)));
    }

    #[test]
    fn bounds_the_wrong_way_round_and_anything_else_are_refused() {
        let wrong: Delay = serde_json::from_str(r#"{"from": "2s", "to": "1s"}"#).unwrap();
        assert!(wrong.check().unwrap_err().contains("more than its to"));
        let error = serde_json::from_str::<Delay>("5").unwrap_err().to_string();
        assert!(error.contains("a duration such as"), "{error}");
    }
}
