//! What a provider token costs the service: the signature alone, and a whole request whose token was never seen, was seen on another
//! connection, or is the one of the connection's last request.

use std::{cell::RefCell, hint::black_box};

use apns_certs::AuthKey;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mock_apns::verify_es256;
use mock_apns_core::{Request, Signature};

mod fixture;

use fixture::{Fixture, NOW, fill};

fn signature(criterion: &mut Criterion) {
    let key = AuthKey::generate(
        apns_certs::KeyId::new(apns_benches::KEY_ID).expect("the constant is a key's name"),
    )
    .expect("the system has randomness");
    let token =
        apns_benches::provider_token(key.to_p8().as_bytes(), NOW.as_secs()).expect("the key is one of P-256");
    let (message, signature) = token.rsplit_once('.').expect("a JWT has three parts");
    let signature = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, signature)
        .expect("a JWT's signature is base64url");
    let signature = Signature::RawRs(signature.as_slice().try_into().expect("R and S have 32 bytes each"));
    let public_key = key.private_key.public_key();
    assert!(verify_es256(&public_key, message.as_bytes(), &signature));
    criterion.bench_function("jwt/ES256 signature", |bencher| {
        bencher.iter(|| verify_es256(black_box(&public_key), message.as_bytes(), &signature));
    });
}

fn request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("jwt");
    let mut fixture = Fixture::with_devices(apns_benches::DEVICES as usize);
    let template = fixture.template(PAYLOAD_BYTES, apns_benches::DEVICES as usize);
    let mut request = Request::new();
    fill(&mut request, &template, 0);

    let other = RefCell::new(Fixture::with_devices(apns_benches::DEVICES as usize)); // its memory of tokens fills up as it would with years of them
    group.bench_function("request, token never seen", |bencher| {
        bencher.iter_batched(
            || {
                let mut fixture = other.borrow_mut();
                let template = fixture.template(PAYLOAD_BYTES, apns_benches::DEVICES as usize);
                let mut request = Request::new();
                fill(&mut request, &template, 0);
                (fixture.connect(), request)
            },
            |(connection, request)| black_box(other.borrow_mut().push(connection, &request, &template.body)),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("request, token seen on another connection", |bencher| {
        bencher.iter(|| {
            let connection = fixture.connect();
            let answer = fixture.push(connection, &request, &template.body);
            fixture.service.disconnected(NOW, connection);
            black_box(answer)
        });
    });
    let connection = fixture.connect();
    group.bench_function("request, token of the connection's last request", |bencher| {
        bencher.iter(|| black_box(fixture.push(connection, &request, &template.body)));
    });
    group.finish();
}

const PAYLOAD_BYTES: usize = 200;

criterion_group!(benches, signature, request);
criterion_main!(benches);
