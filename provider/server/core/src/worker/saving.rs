//! Outcomes on their way into the store.

use std::{mem, sync::Arc, time::Duration};

use super::io::{Batch, BatchId, ClaimId, Effect, Entry, ShardKey, TokenFinding};

/// Collects outcomes into batches, hands them to the store, and keeps them until it has them.
#[derive(Debug)]
pub(super) struct Saving {
    batch_max: usize,
    batch_delay: Duration,
    entries: Vec<Entry>,
    claims: Vec<ClaimId>,
    dead_tokens: Vec<TokenFinding>,
    suspects: Vec<TokenFinding>,
    /// When the first of the entries came.
    since: Option<Duration>,
    /// Those that the store has not confirmed.
    batches: Vec<Pending>,
    next_id: u64,
    /// Entries of them.
    in_batches: usize,
    failures: u32,
}

#[derive(Debug)]
struct Pending {
    batch: Arc<Batch>,
    /// When to hand it over again; `None` while the store has it.
    again_at: Option<Duration>,
}

/// Batches that the store has at once: one is written while the next one is made ready.
const BATCHES_MAX: usize = 2;
/// Pauses after the store has failed.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Saving {
    pub(super) fn new(batch_max: usize, batch_delay: Duration) -> Self {
        Self {
            batch_max,
            batch_delay,
            entries: Vec::new(),
            claims: Vec::new(),
            dead_tokens: Vec::new(),
            suspects: Vec::new(),
            since: None,
            batches: Vec::new(),
            next_id: 0,
            in_batches: 0,
            failures: 0,
        }
    }

    pub(super) fn add(&mut self, now: Duration, claim: ClaimId, entry: Entry) {
        self.since.get_or_insert(now);
        self.entries.push(entry);
        self.claims.push(claim);
    }

    /// A recipient that was to wait does not any more. Says whether nothing of it was handed over.
    pub(super) fn drop_wait(&mut self, shard: ShardKey, position: u16) -> bool {
        let is_it = |entry: &Entry| entry.shard == shard && entry.position == position;
        let Some(at) = self.entries.iter().position(is_it) else { return false };
        self.entries.remove(at);
        self.claims.remove(at);
        true
    }

    pub(super) fn add_dead_token(&mut self, finding: TokenFinding) {
        self.dead_tokens.push(finding);
    }

    pub(super) fn add_suspect(&mut self, finding: TokenFinding) {
        self.suspects.push(finding);
    }

    /// Entries that the store has not confirmed.
    pub(super) fn unsaved(&self) -> usize {
        self.entries.len() + self.in_batches
    }

    /// Hands over what is ready: full batches, or, `in_haste`, whatever there is.
    pub(super) fn hand_over(&mut self, now: Duration, in_haste: bool, mut effect: impl FnMut(Effect)) {
        for pending in &mut self.batches {
            if pending.again_at.is_some_and(|at| at <= now) {
                pending.again_at = None;
                effect(Effect::Store(Arc::clone(&pending.batch)));
            }
        }
        while self.batches.len() < BATCHES_MAX && self.is_ready(now, in_haste) {
            let batch = Arc::new(self.make_batch(now));
            self.in_batches += batch.entries.len();
            self.batches.push(Pending { batch: Arc::clone(&batch), again_at: None });
            effect(Effect::Store(batch));
        }
    }

    fn is_ready(&self, now: Duration, in_haste: bool) -> bool {
        let is_due =
            self.since.is_some_and(|since| in_haste || now.saturating_sub(since) >= self.batch_delay);
        !self.entries.is_empty() && (is_due || self.entries.len() >= self.batch_max)
    }

    fn make_batch(&mut self, now: Duration) -> Batch {
        let id = BatchId(self.next_id);
        self.next_id += 1;
        let most = self.batch_max.min(self.entries.len());
        let rest = self.entries.split_off(most);
        let rest_claims = self.claims.split_off(most);
        self.since = (!rest.is_empty()).then_some(now);
        Batch {
            id,
            entries: mem::replace(&mut self.entries, rest),
            claims: mem::replace(&mut self.claims, rest_claims),
            dead_tokens: mem::take(&mut self.dead_tokens),
            suspects: mem::take(&mut self.suspects),
        }
    }

    /// The store has it. Gives it back, unless it is none that it was handed.
    pub(super) fn stored(&mut self, id: BatchId) -> Option<Arc<Batch>> {
        let at = self.batches.iter().position(|pending| pending.batch.id == id)?;
        let batch = self.batches.remove(at).batch;
        self.in_batches -= batch.entries.len();
        self.failures = 0;
        Some(batch)
    }

    /// The store may not have it: it is handed over again after a pause. Storing it twice changes nothing.
    pub(super) fn failed(&mut self, now: Duration, id: BatchId) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        if let Some(pending) = self.batches.iter_mut().find(|pending| pending.batch.id == id) {
            self.failures = self.failures.saturating_add(1);
            pending.again_at = pending.again_at.or_else(|| Some(now.saturating_add(pause)));
        }
    }

    /// Whether nothing is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.batches.is_empty()
    }

    /// When there is something to hand over.
    pub(super) fn due(&self) -> Option<Duration> {
        let again = self.batches.iter().filter_map(|pending| pending.again_at).min();
        let next = self
            .since
            .filter(|_| self.batches.len() < BATCHES_MAX)
            .map(|since| since.saturating_add(self.batch_delay));
        [again, next].into_iter().flatten().min()
    }
}
