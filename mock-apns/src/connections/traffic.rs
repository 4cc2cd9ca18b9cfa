//! What has gone over a connection.

/// What has gone over a connection until now: plain numbers, which its task counts up and copies once a batch.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Traffic {
    /// Bytes that TLS has decrypted.
    pub(crate) bytes_in: u64,
    /// Bytes given to TLS to encrypt.
    pub(crate) bytes_out: u64,
    /// Streams on which a request or its answer is under way.
    pub(crate) streams: u64,
    answers: [u64; STATUSES.len()],
}

impl Traffic {
    /// A request was answered with this status.
    pub(crate) fn answered(&mut self, status: u16) {
        if let Some(at) = STATUSES.iter().position(|known| *known == status) {
            self.answers[at] += 1;
        }
    }

    /// How many requests were answered with each status, those with none left out.
    pub(crate) fn answers(&self) -> impl Iterator<Item = (u16, u64)> {
        STATUSES.iter().copied().zip(self.answers).filter(|(_, count)| *count > 0)
    }

    /// How many requests were answered.
    pub(crate) fn requests(&self) -> u64 {
        self.answers.iter().sum()
    }
}

/// Every status that the service answers with, the one of nearly all answers first.
const STATUSES: [u16; 10] = [200, 400, 403, 404, 405, 410, 413, 429, 500, 503];

#[cfg(test)]
mod tests {
    use mock_apns_core::Reason;

    use super::*;

    #[test]
    fn every_status_there_is_can_be_counted() {
        let mut traffic = Traffic::default();
        for reason in Reason::ALL {
            traffic.answered(reason.status());
        }
        traffic.answered(200);
        assert_eq!(traffic.requests(), Reason::ALL.len() as u64 + 1);
        assert_eq!(traffic.answers().next(), Some((200, 1)));
    }
}
