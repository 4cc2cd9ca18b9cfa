use std::fmt;

use serde::Serialize;

use super::{
    LoadError,
    cores::Cores,
    pair_run::PairRun,
    pairs::{Pair, RATIOS, Ratio, Side},
};
use crate::Workload;

/// What all runs came to. Its `Display` is the table for people.
#[derive(Clone, Debug)]
pub struct Report {
    workload: Workload,
    runs: usize,
    cores: String,
    rows: Vec<Row>,
}

/// A pair's runs so far.
#[derive(Clone, Debug)]
struct Row {
    pair: Pair,
    runs: Vec<Result<PairRun, LoadError>>,
}

impl Report {
    pub(super) fn new(workload: Workload, runs: usize, cores: &Cores) -> Self {
        Self { workload, runs, cores: cores.to_string(), rows: Vec::new() }
    }

    /// Takes a run's outcome into the row of its pair.
    pub(super) fn add(&mut self, pair: &Pair, run: Result<PairRun, LoadError>) {
        match self.rows.iter_mut().find(|row| row.pair == *pair) {
            Some(row) => row.runs.push(run),
            None => self.rows.push(Row { pair: *pair, runs: vec![run] }),
        }
    }

    /// The report as one JSON document.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.summary())
            .expect("a summary has string keys and finite numbers only")
    }

    fn summary(&self) -> Summary<'_> {
        let ratios = RATIOS.iter().filter_map(|ratio| self.ratio(ratio)).collect();
        Summary {
            workload: self.workload,
            runs: self.runs,
            cores: &self.cores,
            pairs: self.rows.iter().map(Row::summary).collect(),
            ratios,
        }
    }

    /// The ratio in each round, and the middle of them; `None` if no round has both pairs.
    fn ratio(&self, ratio: &Ratio) -> Option<RatioSummary> {
        let row = |(server, client)| {
            self.rows.iter().find(|row| (row.pair.server, row.pair.client) == (server, client))
        };
        let (of, by) = (row(ratio.of)?, row(ratio.by)?);
        let rounds: Vec<f64> = of
            .runs
            .iter()
            .zip(&by.runs)
            .filter_map(|(of, by)| {
                Some(cpu_us(of.as_ref().ok()?, ratio.side) / cpu_us(by.as_ref().ok()?, ratio.side))
            })
            .collect();
        let median = median(rounds.iter().copied())?;
        let side = if ratio.side == Side::Server { "server" } else { "client" };
        Some(RatioSummary {
            title: format!("{side} CPU, {}/{} by {}/{}", ratio.of.0, ratio.of.1, ratio.by.0, ratio.by.1),
            median,
            lowest: rounds.iter().copied().fold(f64::INFINITY, f64::min),
            highest: rounds.iter().copied().fold(0.0, f64::max),
            goal: ratio.goal,
        })
    }
}

impl Row {
    fn summary(&self) -> RowSummary<'_> {
        let good: Vec<&PairRun> = self.runs.iter().filter_map(|run| run.as_ref().ok()).collect();
        let middle = |value: &dyn Fn(&PairRun) -> f64| median(good.iter().map(|run| value(run)));
        RowSummary {
            server: self.pair.server,
            client: self.pair.client,
            pushes_per_second: middle(&|run| quotient(run.sent.pushes, run.sent.wall_us) * 1e6),
            server_cpu_us: middle(&|run| cpu_us(run, Side::Server)),
            client_cpu_us: middle(&|run| cpu_us(run, Side::Client)),
            p50_ms: middle(&|run| f64::from(run.sent.p50_us) / 1e3),
            p99_ms: middle(&|run| f64::from(run.sent.p99_us) / 1e3),
            connections: good.last().and_then(|run| run.connections),
            failures: self
                .runs
                .iter()
                .filter_map(|run| run.as_ref().err().map(ToString::to_string))
                .collect(),
        }
    }
}

/// One side's CPU time for one push, in microseconds.
fn cpu_us(run: &PairRun, side: Side) -> f64 {
    let all = match side {
        Side::Server => run.served.cpu_us,
        Side::Client => run.sent.cpu_us,
    };
    quotient(all, run.sent.pushes)
}

#[expect(clippy::cast_precision_loss, reason = "microseconds and pushes of a run are far below 2^52")]
fn quotient(dividend: u64, divisor: u64) -> f64 {
    dividend as f64 / divisor as f64
}

/// The middle value, or the mean of the two in the middle; `None` of none.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[derive(Serialize)]
struct Summary<'a> {
    workload: Workload,
    runs: usize,
    cores: &'a str,
    pairs: Vec<RowSummary<'a>>,
    ratios: Vec<RatioSummary>,
}

/// Medians of a pair's runs; `None` if all have failed.
#[derive(Serialize)]
struct RowSummary<'a> {
    server: &'a str,
    client: &'a str,
    pushes_per_second: Option<f64>,
    /// Microseconds a push.
    server_cpu_us: Option<f64>,
    /// Microseconds a push.
    client_cpu_us: Option<f64>,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    connections: Option<usize>,
    failures: Vec<String>,
}

#[derive(Serialize)]
struct RatioSummary {
    title: String,
    median: f64,
    lowest: f64,
    highest: f64,
    goal: Option<f64>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = self.summary();
        let Workload { pushes, in_flight, payload_bytes, connections, rtt_ms } = summary.workload;
        writeln!(
            f,
            "{pushes} pushes of {payload_bytes} bytes, {in_flight} in flight, {connections} connection(s) where it can be \
             chosen; TLS 1.3 on loopback;\n{}; medians of {} run(s); CPU by getrusage of each process.\n",
            summary.cores, summary.runs,
        )?;
        if let Some(bound) = summary.workload.bound() {
            writeln!(
                f,
                "a round trip of {rtt_ms} ms is added: {bound:.0} pushes/s at most, by windows and pushes in flight\n"
            )?;
        }
        writeln!(
            f,
            "{:<17} {:<11} {:>9} {:>11} {:>11} {:>7} {:>7} {:>5}",
            "server", "client", "pushes/s", "server µs", "client µs", "p50 ms", "p99 ms", "conn."
        )?;
        for row in &summary.pairs {
            write!(f, "{row}")?;
        }
        writeln!(f, "\nratios of CPU time a push: median (lowest to highest of the rounds)")?;
        for ratio in &summary.ratios {
            write!(f, "{ratio}")?;
        }
        Ok(())
    }
}

impl fmt::Display for RowSummary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: Option<f64>, decimals| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
        };
        writeln!(
            f,
            "{:<17} {:<11} {:>9} {:>11} {:>11} {:>7} {:>7} {:>5}",
            self.server,
            self.client,
            number(self.pushes_per_second, 0),
            number(self.server_cpu_us, 2),
            number(self.client_cpu_us, 2),
            number(self.p50_ms, 2),
            number(self.p99_ms, 2),
            self.connections.map_or_else(|| "-".to_owned(), |count| count.to_string()),
        )?;
        let mut told = self.failures.clone();
        told.dedup();
        told.iter().try_for_each(|why| writeln!(f, "    {why}"))
    }
}

impl fmt::Display for RatioSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5.2} ({:.2} to {:.2})  {}", self.median, self.lowest, self.highest, self.title)?;
        match self.goal {
            Some(goal) if self.median <= goal => writeln!(f, "; goal {goal}: reached"),
            Some(goal) => writeln!(f, "; goal {goal}: missed"),
            None => writeln!(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        child::{Sent, Served},
        load::pairs::PAIRS,
    };

    const WORKLOAD: Workload =
        Workload { pushes: 10, in_flight: 2, payload_bytes: 200, connections: 1, rtt_ms: 0 };

    fn run(server_us: u64, client_us: u64) -> PairRun {
        let sent = Sent { pushes: 10, wall_us: 20, cpu_us: client_us, p50_us: 1500, p99_us: 2500 };
        PairRun { served: Served { cpu_us: server_us }, sent, connections: Some(1) }
    }

    #[test]
    fn medians_are_of_the_runs_that_succeeded_and_failures_are_told_once() {
        let mut report = Report::new(WORKLOAD, 5, &Cores::Free);
        for outcome in [Ok(run(90, 60)), Err(LoadError::PeersNotWanted), Ok(run(10, 10)), Ok(run(20, 50))] {
            report.add(&PAIRS[0], outcome);
        }
        report.add(&PAIRS[0], Err(LoadError::PeersNotWanted));
        let row = report.rows[0].summary();
        assert_eq!((row.server_cpu_us, row.client_cpu_us), (Some(2.0), Some(5.0)));
        assert_eq!(row.pushes_per_second, Some(500_000.0));
        assert_eq!((row.p50_ms, row.failures.len()), (Some(1.5), 2));
        assert_eq!(report.to_string().matches("left out").count(), 1);
    }

    #[test]
    fn a_ratio_is_the_median_of_its_rounds_and_only_of_whole_ones() {
        let ratio = Ratio {
            side: Side::Server,
            of: (PAIRS[1].server, PAIRS[1].client),
            by: (PAIRS[0].server, PAIRS[0].client),
            goal: Some(0.5),
        };
        let mut report = Report::new(WORKLOAD, 4, &Cores::Free);
        assert!(report.ratio(&ratio).is_none());
        let rounds = [
            (Ok(run(100, 1)), 40),
            (Ok(run(100, 1)), 60),
            (Err(LoadError::PeersNotWanted), 1),
            (Ok(run(10, 1)), 5),
        ];
        for (by, of) in rounds {
            report.add(&PAIRS[0], by);
            report.add(&PAIRS[1], Ok(run(of, 1)));
        }
        let found = report.ratio(&ratio).unwrap();
        assert_eq!(
            found.to_string(),
            " 0.50 (0.40 to 0.60)  server CPU, double/floor by h2-always-200/floor; goal 0.5: reached\n"
        );
    }

    #[test]
    fn a_median_of_an_even_number_lies_between() {
        assert_eq!(median([4.0, 1.0, 3.0, 2.0].into_iter()), Some(2.5));
        assert_eq!(median([].into_iter()), None);
    }
}
