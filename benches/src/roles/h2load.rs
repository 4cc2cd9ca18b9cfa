//! nghttp2's load generator as a client: the same request again and again, every field of it indexed after the first time. It tells no
//! single latency, so that each counts as the mean, and verifies no certificate.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use super::RequestTemplate;
use crate::child::{Client, Explain as _, Failure, HOST_NAME, Job, Latencies};

pub(super) struct H2load {
    arguments: Vec<String>,
}

/// In [`Job::directory`]: what is sent.
const PAYLOAD_FILE: &str = "h2load-payload";

impl Client for H2load {
    async fn connect(job: &Job) -> Result<Self, Failure> {
        let template = RequestTemplate::of_job(job)?;
        let payload: PathBuf = job.directory.join(PAYLOAD_FILE);
        fs::write(&payload, &template.body).explain("writing the payload")?;
        let mut arguments = vec![
            "--clients=1".to_owned(),
            "--threads=1".to_owned(),
            format!("--max-concurrent-streams={}", job.workload.in_flight),
            format!("--data={}", payload.display()),
            format!("--connect-to={}", job.address),
        ];
        let fields = template.fields(0, "");
        for (name, value) in fields {
            // The rest are its own to send; with an identifier all pushes would have the same.
            if !name.starts_with(':') && name != "apns-id" {
                arguments.push(format!("--header={name}: {value}"));
            }
        }
        arguments.push(format!("https://{HOST_NAME}:{}{}", job.address.port(), template.path(0)));
        Ok(Self { arguments })
    }

    async fn push(&mut self, count: u64) -> Result<Latencies, Failure> {
        let mut command = Command::new("h2load");
        command.arg(format!("--requests={count}")).args(&self.arguments);
        // Nothing else is to be done here meanwhile.
        let output = command.output().explain("starting h2load (Debian: nghttp2-client)")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let accepted = number_before(&text, " 2xx").unwrap_or(0);
        if accepted != count {
            return Err(Failure::new(
                "pushing with h2load",
                format!("{accepted} of {count} accepted: {text}"),
            ));
        }
        let mean = mean(&text).ok_or_else(|| Failure::new("reading h2load's report", text.to_string()))?;
        let mut latencies = Latencies::with_capacity(count as usize);
        (0..count).for_each(|_| latencies.record(mean));
        Ok(latencies)
    }
}

/// The number in front of a word.
fn number_before(text: &str, word: &str) -> Option<u64> {
    text[..text.find(word)?].rsplit([' ', '\n']).next()?.parse().ok()
}

/// The mean of the line that has a request's shortest, longest, and mean time.
fn mean(text: &str) -> Option<Duration> {
    let line = text.lines().find_map(|line| line.strip_prefix("time for request:"))?;
    let word = line.split_whitespace().nth(2)?;
    let units = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0)];
    let (number, unit) = units.iter().find_map(|(name, unit)| Some((word.strip_suffix(name)?, unit)))?;
    Some(Duration::from_secs_f64(number.parse::<f64>().ok()? * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "\
finished in 2.08s, 96007.68 req/s, 2.40MB/s
requests: 200000 total, 200000 started, 200000 done, 200000 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 200000 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 5.00MB (5240000) total, 1.20MB (1250000) headers (space savings 95.24%), 0B (0) data
                     min         max         mean         sd        +/- sd
time for request:      190us     21.53ms      9.30ms      1.88ms    78.84%
time for connect:     3.05ms      3.05ms      3.05ms         0us   100.00%
";

    #[test]
    fn its_report_is_read() {
        assert_eq!(number_before(REPORT, " 2xx"), Some(200_000));
        assert_eq!(mean(REPORT), Some(Duration::from_micros(9300)));
        assert_eq!(mean(&REPORT.replace("9.30ms", "93us")), Some(Duration::from_micros(93)));
        assert_eq!((number_before("", " 2xx"), mean("")), (None, None));
    }
}
