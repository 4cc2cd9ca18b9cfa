//! Properties of encoder and decoder together.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Decoder, Encoder, Field, Huffman, Index, STRING_LEN_MAX};

/// What happens on a connection up to the end of one block.
#[derive(Clone, Debug)]
struct Turn {
    /// SETTINGS_HEADER_TABLE_SIZE, each acknowledged before the block.
    table_sizes: Vec<usize>,
    huffman: Huffman,
    fields: Vec<OwnedField>,
}

#[derive(Clone, Debug)]
struct OwnedField {
    name: Vec<u8>,
    value: Vec<u8>,
    index: Index,
}

fn turn() -> impl Strategy<Value = Turn> {
    let size = prop_oneof![Just(0), 0..300_usize, Just(4096), Just(65_536)];
    let huffman = prop_oneof![Just(Huffman::Never), Just(Huffman::Shorter)];
    (vec(size, 0..3), huffman, vec(field(), 0..12)).prop_map(|(table_sizes, huffman, fields)| Turn {
        table_sizes,
        huffman,
        fields,
    })
}

fn field() -> impl Strategy<Value = OwnedField> {
    // Few names and values, so that they meet again; and any at all, so that nothing is special about those.
    let name = prop_oneof![
        6 => prop::sample::select(vec![":method", ":path", "authorization", "apns-id", "apns-topic", "x"])
            .prop_map(|name| name.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..40),
    ];
    let value = prop_oneof![
        4 => prop::sample::select(vec!["POST", "/", "", "alert"]).prop_map(|value| value.as_bytes().to_vec()),
        2 => "[a-zA-Z0-9]{100}".prop_map(String::into_bytes),
        1 => Just(vec![b'j'; 250]),
        1 => vec(any::<u8>(), 0..300),
    ];
    let index =
        prop_oneof![3 => Just(Index::Incremental), 1 => Just(Index::Literal), 1 => Just(Index::Never)];
    (name, value, index).prop_map(|(name, value, index)| OwnedField { name, value, index })
}

fn encode(encoder: &mut Encoder, turn: &Turn) -> Vec<u8> {
    let mut block = Vec::new();
    encoder.set_huffman(turn.huffman);
    for size in &turn.table_sizes {
        encoder.set_table_size_max(*size);
    }
    encoder.begin_block(&mut block);
    for OwnedField { name, value, index } in &turn.fields {
        encoder.field(Field { name, value, index: *index }, &mut block);
    }
    block
}

proptest! {
    #[test]
    fn any_fields_come_back_over_any_changes_of_size(turns in vec(turn(), 1..8)) {
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new(4096));
        for turn in turns {
            let block = encode(&mut encoder, &turn);
            for size in &turn.table_sizes {
                decoder.set_table_size_max(*size);
            }
            let mut decoded = Vec::new();
            decoder.decode(&block, |name, value| decoded.push((name.to_vec(), value.to_vec()))).unwrap();

            let sent: Vec<_> = turn.fields.into_iter().map(|field| (field.name, field.value)).collect();
            prop_assert_eq!(decoded, sent);
            prop_assert_eq!(decoder.table(), encoder.table());
        }
    }

    #[test]
    fn any_octets_are_fields_or_an_error(blocks in vec(vec(any::<u8>(), 0..200), 1..4), size in 0..300_usize) {
        let mut decoder = Decoder::new(size);
        for block in blocks {
            let _ = decoder.decode(&block, |name, value| {
                assert!(name.len() <= STRING_LEN_MAX && value.len() <= STRING_LEN_MAX);
            });
            prop_assert!(decoder.table().1 <= size);
        }
    }

    /// Random octets rarely get far; a block with one wrong octet does.
    #[test]
    fn any_damage_is_fields_or_an_error(
        turns in vec(turn(), 1..4),
        place: prop::sample::Index,
        damage in 1..=u8::MAX,
    ) {
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new(65_536));
        for turn in turns {
            let mut block = encode(&mut encoder, &turn);
            if !block.is_empty() {
                let place = place.index(block.len());
                block[place] ^= damage;
            }
            let _ = decoder.decode(&block, |_, _| ());
            prop_assert!(decoder.table().1 <= 65_536);
        }
    }
}
