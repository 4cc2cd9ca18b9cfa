use apns_provider_core::{ApnsId, DeviceToken};
use ring::digest::{Context, SHA256};

/// Where the apns-ids of a run come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum ApnsIds {
    /// Random ones.
    Drawn,
    /// Those of a campaign: a line has the same one in every run.
    Derived { campaign: String },
}

impl ApnsIds {
    /// The ID of a line's push. Derived: the first 16 bytes of a SHA-256 over campaign, line number and
    /// device token, in the form of a UUID.
    pub(super) fn of(&self, line: u64, device_token: &DeviceToken) -> ApnsId {
        let Self::Derived { campaign } = self else { return ApnsId::from_random(rand::random()) };
        let mut hash = Context::new(&SHA256);
        // The campaign's length first, so that no two campaigns make the same bytes.
        hash.update(&(campaign.len() as u64).to_be_bytes());
        hash.update(campaign.as_bytes());
        hash.update(&line.to_be_bytes());
        hash.update(device_token.as_str().as_bytes());
        let mut id = [0; 16];
        for (byte, hashed) in id.iter_mut().zip(hash.finish().as_ref()) {
            *byte = *hashed;
        }
        ApnsId::from_random(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaigns_ids_are_the_same_again_and_no_two_lines_share_one() {
        let token = |hex| DeviceToken::from_hex(hex).unwrap();
        let campaign = |name: &str| ApnsIds::Derived { campaign: name.to_owned() };
        let id = campaign("spring").of(2, &token("aa"));
        assert_eq!(id, campaign("spring").of(2, &token("AA")));
        // A release that derived others would make a resumed run repeat what was sent under other IDs.
        assert_eq!(id.as_str(), "04f7fbd5-e852-4993-8b44-db9b8d2da974");
        let others = [
            campaign("spring").of(3, &token("aa")),
            campaign("spring").of(2, &token("ab")),
            campaign("autumn").of(2, &token("aa")),
            ApnsIds::Drawn.of(2, &token("aa")),
        ];
        assert!(others.iter().all(|other| *other != id), "{others:?}");
        assert_ne!(ApnsIds::Drawn.of(2, &token("aa")), ApnsIds::Drawn.of(2, &token("aa")));
    }
}
