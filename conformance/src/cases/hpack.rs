//! Field compression: every representation is read, and the table's size is kept.

use crate::{Case, Framing, Greeting, Request};

const TAG: &str = "hpack";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        repeated(
            "indexed",
            "fields that entered the table are referred to",
            &Framing { indexed: true, ..usual() },
        ),
        repeated("huffman", "strings in Huffman's code are read", &Framing { huffman: true, ..usual() }),
        repeated("indexed-huffman", "both are read", &Framing { indexed: true, huffman: true, ..usual() }),
        repeated(
            "continued",
            "a block in pieces changes the table once",
            &Framing { indexed: true, block_bytes: 64, ..usual() },
        ),
        size("size-0", "a table of nothing is kept", &[0x20]),
        size("size-4096", "the table may have the size that was announced", &[0x3f, 0xe1, 0x1f]),
        size(
            "size-twice",
            "the table may change twice at the beginning of a block",
            &[0x20, 0x3f, 0xe1, 0x1f],
        ),
    ];
    let announced = [
        ("no-table", "a client that allows no table is answered without one", 0),
        ("small-table", "a client that allows a small table is answered within it", 100),
        ("large-table", "a client that allows a large table is understood", 65_536),
    ];
    cases.extend(announced.map(|(id, title, bytes)| {
        let case = case(id, title).greeting(Greeting::Settings(vec![(1, bytes)]));
        (0..3).fold(case, |case, _| {
            case.accepted(Request::good()).refused(Request::good().with("apns-id", "1"), 400, "BadMessageId")
        })
    }));
    cases
}

fn usual() -> Framing {
    Framing::default()
}

fn case(id: &str, title: &str) -> Case {
    Case::new(TAG, format!("hpack-{id}"), title)
        .rests_on(&["rule-connection-hpack", "setting-header-table-size"])
}

/// The same push three times, so that the table is used.
fn repeated(id: &str, title: &str, framing: &Framing) -> Case {
    (0..3).fold(case(id, title), |case, _| case.accepted(Request::good().framed(framing.clone())))
}

/// A change of the table's size before a block in which nothing refers to the table.
fn size(id: &str, title: &str, prefix: &[u8]) -> Case {
    let framing = Framing { block_prefix: prefix.to_vec(), ..usual() };
    case(id, title).accepted(Request::good().framed(framing)).accepted(Request::good())
}
