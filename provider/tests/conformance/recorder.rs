//! A recorder of the `metrics` facade that keeps everything.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit,
};

/// All clones are one.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Recorded>>);

/// What was recorded, by name and values of labels: a number, or the values of a histogram.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded(pub(crate) BTreeMap<String, Vec<f64>>);

impl Recorded {
    pub(crate) fn values(&self, name: &str) -> &[f64] {
        self.0.get(name).unwrap_or_else(|| panic!("{name} in {:#?}", self.0))
    }

    #[track_caller]
    pub(crate) fn assert(&self, name: &str, value: f64) {
        assert!((self.values(name)[0] - value).abs() < 0.5, "{name}: {:?}", self.values(name));
    }
}

impl Recorder {
    pub(crate) fn recorded(&self) -> Recorded {
        self.0.lock().unwrap().clone()
    }

    fn metric(&self, key: &Key) -> Arc<Metric> {
        let labels = key.labels().map(|label| format!(" {}", label.value()));
        let name = format!("{}{}", key.name(), labels.collect::<String>());
        Arc::new(Metric { name: name.trim_end().to_owned(), recorder: self.clone() })
    }
}

/// One name and its labels.
struct Metric {
    name: String,
    recorder: Recorder,
}

impl Metric {
    fn update(&self, update: impl FnOnce(&mut Vec<f64>)) {
        update(self.recorder.0.lock().unwrap().0.entry(self.name.clone()).or_default());
    }

    fn add(&self, difference: f64) {
        self.update(|values| *values = vec![values.first().unwrap_or(&0.0) + difference]);
    }

    fn put(&self, value: f64) {
        self.update(|values| *values = vec![value]);
    }
}

impl CounterFn for Metric {
    fn increment(&self, value: u64) {
        self.add(f64::from(u32::try_from(value).unwrap()));
    }

    fn absolute(&self, value: u64) {
        self.put(f64::from(u32::try_from(value).unwrap()));
    }
}

impl GaugeFn for Metric {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, value: f64) {
        self.put(value);
    }
}

impl HistogramFn for Metric {
    fn record(&self, value: f64) {
        self.update(|values| values.push(value));
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.metric(key).add(0.0);
        Counter::from_arc(self.metric(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.metric(key).add(0.0);
        Gauge::from_arc(self.metric(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.metric(key))
    }
}
