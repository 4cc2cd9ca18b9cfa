//! One request through the service's core: all rules, a cached provider token, a thousand devices.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mock_apns_core::Request;

mod fixture;

use fixture::{Fixture, fill};

fn service(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("service");
    for payload_bytes in [200, 4096] {
        let mut fixture = Fixture::with_devices(apns_benches::DEVICES as usize);
        let template = fixture.template(payload_bytes, apns_benches::DEVICES as usize);
        let connection = fixture.connect();
        let requests: Vec<Request> = (0..template.paths.len() as u64)
            .map(|number| {
                let mut request = Request::new();
                fill(&mut request, &template, number);
                request
            })
            .collect();
        let mut next = requests.iter().cycle();
        group.bench_function(format!("request of {payload_bytes} bytes"), |bencher| {
            bencher.iter(|| {
                let request = next.next().expect("a cycle does not end");
                black_box(fixture.push(connection, request, &template.body))
            });
        });
        let (mut request, mut number) = (Request::new(), 0);
        group.bench_function(format!("request of {payload_bytes} bytes, fields and all"), |bencher| {
            bencher.iter(|| {
                fill(&mut request, &template, number);
                number += 1;
                black_box(fixture.push(connection, &request, &template.body))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, service);
criterion_main!(benches);
