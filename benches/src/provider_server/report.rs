use std::fmt;

use serde::Serialize;

use super::LoadRun;

/// What all loads came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServerReport {
    /// Devices of the app.
    pub devices: u64,
    /// Whether the database was PostgreSQL; SQLite otherwise.
    pub is_postgres: bool,
    /// In the order in which they ran.
    pub runs: Vec<LoadRun>,
}

impl ServerReport {
    /// As JSON, on one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a report has string keys and finite numbers only")
    }
}

impl fmt::Display for ServerReport {
    #[expect(clippy::cast_precision_loss, reason = "few digits are printed")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = if self.is_postgres { "PostgreSQL" } else { "SQLite" };
        writeln!(f, "{database}, {} devices", self.devices)?;
        writeln!(f, "               pushes  taken/s  ended/s  p50 ms  p99 ms  server MiB  CPU µs a push")?;
        for run in &self.runs {
            let pushes = run.pushes as f64;
            writeln!(
                f,
                "{:<13}{:>8}  {:>7.0}  {:>7.0}  {:>6.1}  {:>6.1}  {:>10.1}  {}",
                run.what,
                run.pushes,
                pushes / run.taken_s,
                pushes / run.ended_s,
                run.p50_ms,
                run.p99_ms,
                run.server_bytes as f64 / f64::from(1 << 20),
                costs(run),
            )?;
        }
        Ok(())
    }
}

/// `server 40 (tokio 25, sqlx 15), double 30, load 3`, in microseconds for each push.
#[expect(clippy::cast_precision_loss, reason = "few digits are printed")]
fn costs(run: &LoadRun) -> String {
    let a_push = |cpu_s: f64| cpu_s * 1e6 / run.pushes as f64;
    let costs = run.costs.iter().map(|cost| {
        let threads: Vec<String> =
            cost.threads.iter().map(|it| format!("{} {:.1}", it.name, a_push(it.cpu_s))).collect();
        let of_threads =
            if threads.is_empty() { String::new() } else { format!(" ({})", threads.join(", ")) };
        format!("{} {:.1}{of_threads}", cost.process, a_push(cost.cpu_s))
    });
    costs.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Cost, ThreadsCost},
        *,
    };

    #[test]
    fn a_line_has_what_a_push_costs_whom() {
        let threads = vec![ThreadsCost { name: "tokio".to_owned(), cpu_s: 0.5 }];
        let run = LoadRun {
            what: "campaign",
            pushes: 100_000,
            taken_s: 0.1,
            ended_s: 4.0,
            p50_ms: 1.0,
            p99_ms: 2.0,
            costs: vec![
                Cost { process: "server", cpu_s: 0.5, threads },
                Cost { process: "double", cpu_s: 0.25, threads: Vec::new() },
            ],
            server_bytes: 1 << 20,
        };
        let report = ServerReport { devices: 7, is_postgres: false, runs: vec![run] };
        let text = report.to_string();
        assert!(text.starts_with("SQLite, 7 devices\n"), "{text}");
        assert!(text.contains("  25000  "), "{text}");
        assert!(text.ends_with("server 5.0 (tokio 5.0), double 2.5\n"), "{text}");
        assert!(report.to_json().contains(r#""pushes":100000"#));
    }
}
