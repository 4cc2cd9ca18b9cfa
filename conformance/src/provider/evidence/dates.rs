use std::time::Duration;

/// What the date was when, in a play whose clock is turned.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Dates {
    /// When the play began, since 1970.
    began: Duration,
    /// From when on the play's clock was how far ahead of the machine's.
    turned: Vec<(Duration, Duration)>,
}

impl From<Duration> for Dates {
    /// Of a play that began then, since 1970.
    fn from(began: Duration) -> Self {
        Self { began, turned: Vec::new() }
    }
}

impl Dates {
    /// From `at` on the clock is so far ahead.
    pub(crate) fn turned(&mut self, at: Duration, ahead: Duration) {
        self.turned.push((at, ahead));
    }

    /// What the date was then, in seconds since 1970.
    pub(crate) fn secs(&self, at: Duration) -> i64 {
        let ahead = self.turned.iter().rev().find(|turned| turned.0 <= at).map_or(Duration::ZERO, |it| it.1);
        (self.began + at + ahead).as_secs().cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_goes_on_and_jumps_where_the_clock_was_turned() {
        let secs = Duration::from_secs;
        let mut dates = Dates::from(secs(1000));
        dates.turned(secs(5), secs(600));
        dates.turned(secs(7), secs(1200));
        let told: Vec<i64> = [0, 4, 5, 6, 7, 8].map(|at| dates.secs(secs(at))).to_vec();
        assert_eq!(told, [1000, 1004, 1605, 1606, 2207, 2208]);
    }
}
