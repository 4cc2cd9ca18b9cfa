//! How fast the store is, how much it costs, and how much memory it takes.
//!
//! ```sh
//! cargo run --release -p apns-provider-server --example store_speed -- [PLACE] [RECIPIENTS] [BATCH] [DURABILITY]
//! ```
//!
//! PLACE is a path for SQLite, which must not be there, or the URL of an empty database of PostgreSQL; left out, a file in a new folder.
//! A campaign of RECIPIENTS (1,000,000) is planned, claimed and ended in batches of BATCH (1,000) outcomes; then single pushes are taken,
//! a thousand at once, and ended; then devices are registered and walked through.

#![allow(clippy::print_stdout, clippy::cast_precision_loss)] // it prints figures

use std::{
    error::Error,
    fs,
    time::{Duration, Instant},
};

use apns_provider_core::{BundleId, DeviceToken, PushType, UnixTime};
use apns_provider_server::store::{
    ClaimRequest, NewNotification, Outcomes, Owner, Store, StoreSettings, Submission, Submitted,
};
use apns_provider_server_core::{
    audience::{Audience, TagExpression, Who},
    device::{Environment, Kind, Registration},
    ids::{AppId, DeviceId, NotificationId, RegistrationNumber, Tag, TenantId, TenantName, UserId},
    lanes::Lane,
    limits::{QueueBounds, Rates},
    message::{Composed, Content, Deadline, Expiry, Message},
    notification::{Campaign, Delivery},
    outcome::{Ending, FinalOutcome},
    plan::{Cursor, NewShard, Plan, Progress},
    problem::Field,
    schedule::Schedule,
    shard::{Recipient, SHARD_RECIPIENTS, ShardWriter},
    worker::{Entry, Fate, Rest, ShardKey},
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = tempfile::tempdir()?;
    let place = arguments.next().unwrap_or_else(|| folder.path().join("apns.db").display().to_string());
    let recipients: usize = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let batch: usize = arguments.next().map_or(Ok(1000), |text| text.parse())?;
    let mut settings = StoreSettings::new(&place)?;
    if let Some(durability) = arguments.next() {
        settings.durability = durability.parse()?;
    }
    println!(
        "{:?}, {:?}, {recipients} recipients in batches of {batch}",
        settings.place, settings.durability
    );
    let speed = Speed::new(&settings).await?;
    speed.campaign(recipients, batch).await?;
    speed.single_pushes(20).await?;
    speed.devices(100_000).await?;
    speed.store.close().await;
    println!("most memory: {} MiB", most_memory()?);
    Ok(())
}

struct Speed {
    store: Store,
    tenant: TenantId,
    app: AppId,
    message: Composed,
}

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const LEASE: Duration = Duration::from_mins(1);
const ME: Owner = Owner(1);

impl Speed {
    async fn new(settings: &StoreSettings) -> Result<Self> {
        let store = Store::open(settings).await?;
        let tenant = store.put_tenant(&TenantName::parse("acme")?, "{}", NOW).await?.now.id;
        let bundle_id = BundleId::parse("com.example.tea")?;
        let app = store.put_app(tenant, &bundle_id, "{}", NOW).await?.now.id;
        let message = Message {
            push_type: PushType::Alert,
            content: Content::Payload(br#"{"aps":{"alert":"Tea is ready"}}"#.as_slice().into()),
            priority: None,
            collapse_id: None,
            expiry: Expiry::None,
        };
        let message = message.compose(Field::new("message"), &bundle_id, None)?;
        Ok(Self { store, tenant, app, message })
    }

    async fn campaign(&self, recipients: usize, batch: usize) -> Result<()> {
        let progress = Progress { cursor: Cursor::After(DeviceId::new(0)), ..Progress::default() };
        let campaign = self.notification(0, Lane::Campaign, Vec::new(), progress);
        self.submit(campaign).await?;

        let lap = Lap::start()?;
        let plan = self.store.claim_plan(ME, LEASE, NOW).await?.ok_or("there is nothing to plan")?;
        let mut progress = plan.progress;
        while progress.planned < recipients as u64 {
            let shards: Vec<_> = (0..10).map(|_| shard(&mut progress)).collect();
            if progress.planned >= recipients as u64 {
                progress.cursor = Cursor::Done;
            }
            self.store.store_step(ME, plan.notification, shards, progress, LEASE, NOW).await?;
        }
        lap.told("planned", recipients)?;
        self.work_off(Lane::Campaign, batch, "of a campaign").await
    }

    /// Claims everything in a lane, and ends it.
    async fn work_off(&self, lane: Lane, batch: usize, what: &str) -> Result<()> {
        let (mut claiming, mut recording, mut releasing) =
            (Spent::default(), Spent::default(), Spent::default());
        let outcome = FinalOutcome { status: 200, ..FinalOutcome::unanswered(Ending::Accepted, None) };
        let mut outcomes = 0;
        loop {
            let lap = Lap::start()?;
            let request = ClaimRequest {
                owner: ME,
                lane,
                recipients: 10_000,
                shards: 1000,
                except: Vec::new(),
                lease: LEASE,
                now: NOW,
            };
            let claimed = self.store.claim_shards(request).await?;
            claiming.add(&lap)?;
            if claimed.shards.is_empty() {
                break;
            }
            let entries: Vec<Entry> = claimed
                .shards
                .iter()
                .flat_map(|shard| (0..shard.recipients.len()).map(|position| (shard.key, position)))
                .map(|(shard, position)| Entry { shard, position, fate: Fate::Final(outcome.clone()) })
                .collect();
            let lap = Lap::start()?;
            for entries in entries.chunks(batch) {
                let batch = Outcomes { owner: ME, entries, dead_tokens: &[], suspects: &[], now: NOW };
                outcomes += self.store.record(batch).await?.stored as usize;
            }
            recording.add(&lap)?;
            let lap = Lap::start()?;
            let done: Vec<(ShardKey, Rest)> =
                claimed.shards.iter().map(|shard| (shard.key, Rest::Done)).collect();
            self.store.release_shards(ME, &done, NOW).await?;
            releasing.add(&lap)?;
        }
        claiming.told(&format!("claimed {what}"), outcomes);
        recording.told(&format!("outcomes {what}"), outcomes);
        releasing.told(&format!("given back {what}"), outcomes);
        Ok(())
    }

    async fn single_pushes(&self, rounds: usize) -> Result<()> {
        let lap = Lap::start()?;
        let mut slowest = Vec::new();
        for round in 0..rounds {
            let submissions = (0..1000).map(|at| {
                let at = round * 1000 + at + 1;
                let mut progress = Progress::default();
                let shards = vec![small_shard(at as u64, &mut progress)];
                let notification = self.notification(at as u64, Lane::Urgent, shards, progress);
                async {
                    let begin = Instant::now();
                    self.submit(notification).await?;
                    Result::Ok(begin.elapsed())
                }
            });
            let mut took = futures::future::try_join_all(submissions).await?;
            took.sort_unstable();
            slowest.push(took[990]);
        }
        lap.told("taken, 1,000 at once", rounds * 1000)?;
        slowest.sort_unstable();
        println!("  99 of 100 within {:?} in the median round", slowest[rounds / 2]);
        let lap = Lap::start()?;
        for at in 0..200 {
            let mut progress = Progress::default();
            let shards = vec![small_shard(at, &mut progress)];
            self.submit(self.notification(1_000_000 + at, Lane::Urgent, shards, progress)).await?;
        }
        lap.told("taken, one after the other", 200)?;
        self.work_off(Lane::Urgent, 1000, "of single pushes").await
    }

    async fn devices(&self, count: usize) -> Result<()> {
        let lap = Lap::start()?;
        let news = Tag::parse("news")?;
        for begin in (0..count).step_by(200) {
            let registrations = (begin..begin + 200).map(|at| {
                let registration = Registration {
                    token: token(at as u64),
                    environment: Environment::Production,
                    kind: Kind::Alert,
                    user: UserId::parse(&format!("user-{}", at / 2)).ok(),
                    locale: "de-CH".to_owned().try_into().ok(),
                    time_zone: "Europe/Zurich".to_owned().try_into().ok(),
                    tags: (at % 2 == 0).then(|| news.clone()).into_iter().collect(),
                    app_version: None,
                    previous_token: None,
                };
                self.store.register_device(self.app, registration, 20, NOW)
            });
            futures::future::try_join_all(registrations).await?;
        }
        lap.told("devices registered, 200 at once", count)?;
        let tagged = TagExpression { any: [news].into(), ..TagExpression::default() };
        for (what, who) in [("all", Who::All), ("with a tag", Who::Tags(tagged))] {
            let lap = Lap::start()?;
            let audience = Audience { who, environment: None };
            let plan = Plan {
                message: &self.message,
                audience: &audience,
                schedule: &Schedule::Now,
                handed_in: NOW,
                pace: None,
            };
            let mut progress = plan.begin();
            while !progress.is_complete() {
                let found = self.store.find_candidates(self.app, &plan, &progress).await?;
                plan.step(&mut progress, &found.candidates());
            }
            lap.told(&format!("devices found, {what}"), progress.planned as usize)?;
        }
        Ok(())
    }

    fn notification(
        &self,
        at: u64,
        lane: Lane,
        shards: Vec<NewShard>,
        progress: Progress,
    ) -> NewNotification {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&at.to_be_bytes());
        NewNotification {
            id: NotificationId::new(NOW, random),
            message: self.message.clone(),
            audience: Audience { who: Who::All, environment: None },
            schedule: Schedule::Now,
            lane,
            delivery: Delivery::AtLeastOnce,
            campaign: (lane == Lane::Campaign).then(Campaign::default),
            handed_in: NOW,
            shards,
            progress,
        }
    }

    async fn submit(&self, notification: NewNotification) -> Result<()> {
        let submission = Submission {
            tenant: self.tenant,
            app: self.app,
            idempotency: None,
            bounds: QueueBounds { app: u64::MAX, tenant: u64::MAX },
            rates: Rates::default(),
            notifications: vec![notification],
            replayed: Vec::new(),
            now: NOW,
        };
        match self.store.submit(submission).await? {
            Submitted::Stored => Ok(()),
            other => Err(format!("{other:?}").into()),
        }
    }
}

fn shard(progress: &mut Progress) -> NewShard {
    let first = progress.planned;
    write_shard(first, SHARD_RECIPIENTS as u64, progress)
}

fn small_shard(at: u64, progress: &mut Progress) -> NewShard {
    write_shard(at, 1, progress)
}

fn write_shard(first: u64, count: u64, progress: &mut Progress) -> NewShard {
    let mut writer = ShardWriter::new();
    for at in first..first + count {
        let mut token = [0xab; 32];
        token[..8].copy_from_slice(&at.to_be_bytes());
        let row = at.cast_signed() + 1;
        let recipient = Recipient {
            token: &token,
            device: Some(DeviceId::new(row)),
            number: RegistrationNumber::new(row),
            registered_at: Some(NOW),
            variant: 0,
        };
        writer.push(recipient).expect("a shard has room for its recipients");
    }
    let number = progress.next_shard;
    progress.next_shard += 1;
    progress.planned += count;
    NewShard {
        number,
        environment: Environment::Production,
        not_before: NOW,
        deadline: Deadline::default(),
        recipients: count as u16,
        bytes: writer.finish(Kind::Alert).expect("there is one in it"),
    }
}

fn token(at: u64) -> DeviceToken {
    // Spread as real ones are.
    let mut bytes = [0; 32];
    for (place, chunk) in (0_u64..).zip(bytes.chunks_mut(8)) {
        let mixed = (at + place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        chunk.copy_from_slice(&(mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes());
    }
    DeviceToken::from_bytes(&bytes).expect("32 bytes are a token")
}

/// A stretch of time, and what it cost.
struct Lap {
    begin: Instant,
    processor: Duration,
}

#[derive(Default)]
struct Spent {
    time: Duration,
    processor: Duration,
}

impl Lap {
    fn start() -> Result<Self> {
        Ok(Self { begin: Instant::now(), processor: processor_time()? })
    }

    fn told(&self, what: &str, count: usize) -> Result<()> {
        let mut spent = Spent::default();
        spent.add(self)?;
        spent.told(what, count);
        Ok(())
    }
}

impl Spent {
    fn add(&mut self, lap: &Lap) -> Result<()> {
        self.time += lap.begin.elapsed();
        self.processor += processor_time()?.saturating_sub(lap.processor);
        Ok(())
    }

    fn told(&self, what: &str, count: usize) {
        let (secs, processor) = (self.time.as_secs_f64(), self.processor.as_secs_f64());
        let each = processor * 1e6 / count as f64;
        println!(
            "{what}: {count} in {secs:.2} s, {:.0}/s, {processor:.2} s of processor, {each:.1} µs each",
            count as f64 / secs
        );
    }
}

/// Of this process, in user and system mode; a database's own process is not counted.
fn processor_time() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |it| it.1).split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}

fn most_memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).ok_or("the system does not tell")?;
    Ok(line.split_whitespace().nth(1).ok_or("the system does not tell")?.parse::<u64>()? / 1024)
}
