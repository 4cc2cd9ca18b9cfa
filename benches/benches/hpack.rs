//! One request's field block, encoded and decoded, with and without Huffman coding.
//!
//! Every block but the first of a connection finds what repeats in the table; that is what is measured. The path and the identifier
//! change with each request.

use std::hint::black_box;

use apns_benches::{DEVICES, RequestTemplate, device_token};
use apns_http2::hpack::{Decoder, Encoder, Field, Huffman, Index};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn hpack(criterion: &mut Criterion) {
    let devices: Vec<String> = (0..DEVICES).map(device_token).collect();
    // A token as long as a real one; HPACK does not look inside.
    let template = RequestTemplate::new(443, &"eyJhbGciOiJFUzI1NiIs".repeat(10), 200, &devices);
    let mut group = criterion.benchmark_group("hpack");
    for (coding, huffman) in [("plain", Huffman::Never), ("huffman", Huffman::Shorter)] {
        // Whether the provider token is in the table, too: Apple's pages disagree on whether it may be.
        for (token, authorization) in
            [("token indexed", Index::Incremental), ("token not indexed", Index::Never)]
        {
            let name = format!("{coding}, {token}");
            let blocks = blocks(&template, huffman, authorization);
            let steady = &blocks[1..];
            let bytes = steady.iter().map(Vec::len).sum::<usize>() / steady.len();
            group.throughput(Throughput::Bytes(bytes as u64));
            group.bench_function(format!("encode, {name}"), |bencher| {
                let mut encoder = Encoder::new();
                encoder.set_huffman(huffman);
                let (mut block, mut number) = (Vec::new(), 0);
                bencher.iter(|| {
                    block.clear();
                    encode(&mut encoder, &template, number, authorization, &mut block);
                    number += 1;
                    black_box(&block);
                });
            });
            group.bench_function(format!("decode, {name}"), |bencher| {
                let mut decoder = Decoder::new(TABLE_BYTES);
                decoder.decode(&blocks[0], |_, _| {}).expect("the encoder wrote it");
                let mut next = steady.iter().cycle();
                bencher.iter(|| {
                    let block = next.next().expect("a cycle does not end");
                    decoder
                        .decode(block, |name, value| {
                            black_box((name, value));
                        })
                        .expect("the encoder wrote it");
                });
            });
        }
    }
    group.finish();
}

/// A connection's first blocks, one for each device.
fn blocks(template: &RequestTemplate, huffman: Huffman, authorization: Index) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new();
    encoder.set_huffman(huffman);
    let block = |number| {
        let mut block = Vec::new();
        encode(&mut encoder, template, number, authorization, &mut block);
        block
    };
    (0..DEVICES).map(block).collect()
}

fn encode(
    encoder: &mut Encoder,
    template: &RequestTemplate,
    number: u64,
    authorization: Index,
    block: &mut Vec<u8>,
) {
    encoder.begin_block(block);
    for (name, value) in template.fields(number, APNS_ID) {
        let index = match name {
            ":path" | "apns-id" => Index::Literal,
            "authorization" => authorization,
            _ => Index::Incremental,
        };
        encoder.field(Field { name: name.as_bytes(), value: value.as_bytes(), index }, block);
    }
}

const APNS_ID: &str = "eabeae54-14a8-11e5-b60b-1697f925ec7b";
/// The size that both ends of a connection begin with (RFC 9113 section 6.5.2).
const TABLE_BYTES: usize = 4096;

criterion_group!(benches, hpack);
criterion_main!(benches);
