use proptest::{collection, prelude::*};

use super::*;

/// What a recipient is made of, with a token of its own.
type Owned = (Vec<u8>, Option<i64>, i64, Option<u64>, u16);

fn recipient((token, device, number, registered_at, variant): &Owned) -> Recipient<'_> {
    Recipient {
        token,
        device: device.map(DeviceId::new),
        number: RegistrationNumber::new(*number),
        registered_at: registered_at.map(UnixTime::from_millis),
        variant: *variant,
    }
}

fn write(recipients: &[Owned]) -> Bytes {
    let mut writer = ShardWriter::new();
    for owned in recipients {
        writer.push(recipient(owned)).unwrap();
    }
    writer.finish(Kind::Voip).unwrap().into()
}

/// A thousand devices that stand near one another in the store, as a campaign finds them.
fn campaign() -> Vec<Owned> {
    (0..1000_i64)
        .map(|at| {
            let token = (0..32).map(|byte| (at * 31 + byte * 17).to_le_bytes()[0]).collect();
            (
                token,
                Some(5_000_000 + at * 3),
                9_000_000 + at * 7 % 100_000,
                Some(1_700_000_000_000 + at.cast_unsigned() * 86_400),
                0,
            )
        })
        .collect()
}

#[test]
fn a_shard_of_a_thousand_is_little_more_than_its_tokens() {
    let bytes = write(&campaign());
    assert!(bytes.len() < 1000 * (32 + 10), "{} bytes", bytes.len());
    let shard = Shard::read(bytes).unwrap();
    assert_eq!((shard.len(), shard.kind()), (1000, Kind::Voip));
    assert!(shard.recipients().zip(&campaign()).all(|(read, written)| read == recipient(written)));
    assert_eq!(shard.recipient(999).unwrap().device, Some(DeviceId::new(5_002_997)));
    assert_eq!(shard.recipient(1000), None);
}

#[test]
fn what_was_written_once_is_read_for_ever() {
    // Not to be adapted: shards of this form are in stores.
    let bytes = [
        1, 10, 2, 0, 2, // version, kind, count, bytes of a token
        1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 2, // devices 3 and 5
        0, 9, 0, 0, 0, 0, 0, 0, 0, // registration 9 of both
        2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe8, 3, // an unknown time, and a second after 1970
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, // variants 0 and 1
        0xaa, 0xbb, 0xcc, 0xdd,
    ];
    let shard = Shard::read(Bytes::copy_from_slice(&bytes)).unwrap();
    let expected: [Owned; 2] =
        [(vec![0xaa, 0xbb], Some(3), 9, None, 0), (vec![0xcc, 0xdd], Some(5), 9, Some(1000), 1)];
    assert!(shard.recipients().eq(expected.iter().map(recipient)));
    assert_eq!(write(&expected), bytes.as_slice());
}

#[test]
fn a_writer_takes_as_many_as_a_shard_may_have_and_begins_again() {
    let mut writer = ShardWriter::new();
    let one: Owned = (vec![1; 32], None, 0, None, 0);
    for _ in 0..SHARD_RECIPIENTS {
        writer.push(recipient(&one)).unwrap();
    }
    assert_eq!(writer.push(recipient(&one)), Err(NotWritten::Full));
    assert!(writer.finish(Kind::Alert).is_some());
    assert_eq!(writer.finish(Kind::Alert), None);
    for len in [0, 101] {
        let wrong: Owned = (vec![1; len], None, 0, None, 0);
        assert_eq!(writer.push(recipient(&wrong)), Err(NotWritten::Token { len }));
    }
}

#[test]
fn what_a_newer_version_wrote_is_not_guessed_at() {
    let mut bytes = write(&campaign()[..2]).to_vec();
    bytes[0] = 2;
    assert_eq!(Shard::read(bytes.clone().into()).unwrap_err(), DamagedShard::Version { version: 2 });
    (bytes[0], bytes[1]) = (1, 99);
    assert_eq!(Shard::read(bytes.into()).unwrap_err(), DamagedShard::UnknownKind { number: 99 });
}

#[test]
fn a_shard_that_was_cut_or_grew_is_refused() {
    let mixed: Vec<Owned> = vec![(vec![1; 32], Some(1), 1, None, 0), (vec![2; 80], Some(900), 2, None, 3)];
    for bytes in [write(&campaign()[..3]), write(&mixed)] {
        for end in 0..bytes.len() {
            assert!(Shard::read(bytes.slice(..end)).is_err(), "{end} of {}", bytes.len());
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Shard::read(longer.into()).unwrap_err(), DamagedShard::Longer { bytes: 1 });
    }
}

fn any_recipient() -> impl Strategy<Value = Owned> {
    (
        prop_oneof![collection::vec(any::<u8>(), 32), collection::vec(any::<u8>(), 1..=100)],
        proptest::option::of(1..=i64::MAX),
        0..=i64::MAX,
        proptest::option::of(1..=u64::MAX),
        any::<u16>(),
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read(recipients in collection::vec(any_recipient(), 1..50)) {
        let shard = Shard::read(write(&recipients)).unwrap();
        prop_assert_eq!(usize::from(shard.len()), recipients.len());
        prop_assert!(shard.recipients().eq(recipients.iter().map(recipient)));
        for (at, owned) in recipients.iter().enumerate() {
            prop_assert_eq!(shard.recipient(at as u16), Some(recipient(owned)));
        }
    }

    #[test]
    fn any_bytes_are_a_shard_or_refused(bytes in collection::vec(any::<u8>(), 0..200)) {
        if let Ok(shard) = Shard::read(bytes.into()) {
            prop_assert!(shard.recipients().all(|recipient| !recipient.device_token().as_str().is_empty()));
        }
    }

    #[test]
    fn a_flipped_byte_is_a_shard_or_refused(
        recipients in collection::vec(any_recipient(), 1..6), at: prop::sample::Index, flip in 1_u8..,
    ) {
        let mut bytes = write(&recipients).to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(shard) = Shard::read(bytes.into()) {
            prop_assert!(shard.recipients().all(|recipient| !recipient.device_token().as_str().is_empty()));
        }
    }
}
