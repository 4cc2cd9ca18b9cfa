//! The examples of RFC 7541 appendix C.2 to C.6, in both directions. (C.1 is beside `integer`.)

use super::{Decoder, Encoder, Field, Huffman};

/// Name and value.
type Pair = (&'static str, &'static str);

/// One block of an example and the dynamic table after it, newest entry first.
struct Block {
    hex: &'static str,
    fields: &'static [Pair],
    table: &'static [Pair],
    table_size: usize,
}

/// C.2.1 to C.2.4: each on a connection of its own.
#[test]
fn c2_representations() {
    let custom = ("custom-key", "custom-header");
    let indexed = Field::incremental(b"custom-key", b"custom-header");
    let hex = "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572";
    assert_eq!(single(indexed, hex), (owned(&[custom]), 55));

    let hex = "040c 2f73 616d 706c 652f 7061 7468";
    assert_eq!(single(Field::literal(b":path", b"/sample/path"), hex), (vec![], 0));

    let hex = "1008 7061 7373 776f 7264 0673 6563 7265 74";
    assert_eq!(single(Field::never(b"password", b"secret"), hex), (vec![], 0));

    assert_eq!(single(Field::incremental(b":method", b"GET"), "82"), (vec![], 0));
}

#[test]
fn c3_requests_plain() {
    let hex = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    both_ways(4096, Huffman::Never, &requests(hex));
}

#[test]
fn c4_requests_huffman() {
    let hex = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    both_ways(4096, Huffman::Shorter, &requests(hex));
}

#[test]
fn c5_responses_plain() {
    let hex = [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 \
         3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 \
         7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 \
         6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ];
    both_ways(256, Huffman::Never, &responses(hex));
}

const C6_FIRST: &str = "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e \
                        919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3";
const C6_THIRD: &str = "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 \
                        821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed \
                        4ee5 b106 3d50 07";

#[test]
fn c6_responses_huffman() {
    decodes(256, &responses([C6_FIRST, "4883 640e ffc1 c0bf", C6_THIRD]));
}

/// The RFC codes "307" although it saves nothing; the encoder sends it plain. All else is as in the RFC.
#[test]
fn c6_responses_huffman_where_it_saves_octets() {
    both_ways(256, Huffman::Shorter, &responses([C6_FIRST, "4803 3330 37c1 c0bf", C6_THIRD]));
}

fn requests([first, second, third]: [&'static str; 3]) -> [Block; 3] {
    const HOST: Pair = (":authority", "www.example.com");
    const CACHE: Pair = ("cache-control", "no-cache");
    const CUSTOM: Pair = ("custom-key", "custom-value");
    [
        Block {
            hex: first,
            fields: &[(":method", "GET"), (":scheme", "http"), (":path", "/"), HOST],
            table: &[HOST],
            table_size: 57,
        },
        Block {
            hex: second,
            fields: &[(":method", "GET"), (":scheme", "http"), (":path", "/"), HOST, CACHE],
            table: &[CACHE, HOST],
            table_size: 110,
        },
        Block {
            hex: third,
            fields: &[(":method", "GET"), (":scheme", "https"), (":path", "/index.html"), HOST, CUSTOM],
            table: &[CUSTOM, CACHE, HOST],
            table_size: 164,
        },
    ]
}

fn responses([first, second, third]: [&'static str; 3]) -> [Block; 3] {
    const CACHE: Pair = ("cache-control", "private");
    const DATE: Pair = ("date", "Mon, 21 Oct 2013 20:13:21 GMT");
    const LATER: Pair = ("date", "Mon, 21 Oct 2013 20:13:22 GMT");
    const LOCATION: Pair = ("location", "https://www.example.com");
    const GZIP: Pair = ("content-encoding", "gzip");
    const COOKIE: Pair = ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1");
    [
        Block {
            hex: first,
            fields: &[(":status", "302"), CACHE, DATE, LOCATION],
            table: &[LOCATION, DATE, CACHE, (":status", "302")],
            table_size: 222,
        },
        Block {
            hex: second,
            fields: &[(":status", "307"), CACHE, DATE, LOCATION],
            table: &[(":status", "307"), LOCATION, DATE, CACHE],
            table_size: 222,
        },
        Block {
            hex: third,
            fields: &[(":status", "200"), CACHE, LATER, LOCATION, GZIP, COOKIE],
            table: &[COOKIE, GZIP, LATER],
            table_size: 215,
        },
    ]
}

/// Encodes `field` to `hex`, decodes it back, and returns the decoder's table.
fn single(field: Field<'_>, hex: &str) -> (Vec<(String, String)>, usize) {
    let mut block = Vec::new();
    Encoder::new().field(field, &mut block);
    assert_eq!(block, octets(hex));

    let mut decoder = Decoder::new(4096);
    let mut visited = 0;
    decoder
        .decode(&block, |name, value| {
            visited += 1;
            assert_eq!((name, value), (field.name, field.value));
        })
        .unwrap();
    assert_eq!(visited, 1);
    decoder.table()
}

fn both_ways(table_size_max: usize, huffman: Huffman, blocks: &[Block]) {
    decodes(table_size_max, blocks);

    let mut encoder = Encoder::new();
    encoder.set_huffman(huffman);
    encoder.set_table_size_max(table_size_max);
    // The examples take the size as agreed: its announcement is not in them.
    encoder.begin_block(&mut Vec::new());
    for block in blocks {
        let mut out = Vec::new();
        encoder.begin_block(&mut out);
        for (name, value) in block.fields {
            encoder.field(Field::incremental(name.as_bytes(), value.as_bytes()), &mut out);
        }
        assert_eq!(out, octets(block.hex));
        assert_eq!(encoder.table(), (owned(block.table), block.table_size));
    }
}

fn decodes(table_size_max: usize, blocks: &[Block]) {
    let mut decoder = Decoder::new(table_size_max);
    for block in blocks {
        let mut fields = Vec::new();
        decoder
            .decode(&octets(block.hex), |name, value| {
                fields.push((
                    String::from_utf8(name.to_vec()).unwrap(),
                    String::from_utf8(value.to_vec()).unwrap(),
                ));
            })
            .unwrap();
        assert_eq!(fields, owned(block.fields));
        assert_eq!(decoder.table(), (owned(block.table), block.table_size));
    }
}

fn owned(pairs: &[Pair]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
