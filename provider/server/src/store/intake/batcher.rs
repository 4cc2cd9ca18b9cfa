use super::{Submission, Submitted, storing::store};
use crate::store::{
    StoreError,
    batcher::{Batcher, Size, Together},
    database::Database,
    settings::Weight,
};

/// Submissions that come at the same time.
pub(in crate::store) enum TakenTogether {}

/// The way to whoever stores submissions.
pub(in crate::store) type Intakes = Batcher<TakenTogether>;

impl Together for TakenTogether {
    type Answer = Submitted;
    type Request = Submission;

    fn size(submission: &Submission) -> Size {
        let notifications = &submission.notifications;
        let of_shards: usize = notifications.iter().flat_map(|it| &it.shards).map(|it| it.bytes.len()).sum();
        let of_messages: usize = notifications.iter().map(|it| it.message.variants() * 1024).sum();
        Size { parts: notifications.len(), kib: (of_shards + of_messages) / 1024 }
    }

    async fn run(database: &Database, submissions: Vec<Submission>) -> Result<Vec<Submitted>, StoreError> {
        let stored = database.write(Weight::Promise, submissions, |submissions, transaction| {
            Box::pin(store(submissions, transaction))
        });
        let (submitted, told) = stored.await?;
        told.count();
        Ok(submitted)
    }
}
