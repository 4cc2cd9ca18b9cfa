//! One request through the service's core: all rules, a cached provider token, a thousand devices.

use std::hint::black_box;

use apns_benches::RequestTemplate;
use criterion::{Criterion, criterion_group, criterion_main};
use mock_apns_core::{Request, TeamId};

mod fixture;

use fixture::{Fixture, NOW, fill};

fn service(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("service");
    for payload_bytes in [200, 4096] {
        let mut fixture = Fixture::with_devices(apns_benches::DEVICES as usize);
        let template = fixture.template(payload_bytes, apns_benches::DEVICES as usize);
        let connection = fixture.connect();
        let requests = requests(&template);
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

/// One to each device.
fn requests(template: &RequestTemplate) -> Vec<Request> {
    let request = |number| {
        let mut request = Request::new();
        fill(&mut request, template, number);
        request
    };
    (0..template.paths.len() as u64).map(request).collect()
}

/// What rules cost that are not about the request: each is looked at.
fn faults(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("faults");
    for rules in [0, 1, 10, 100] {
        let mut fixture = Fixture::with_devices(apns_benches::DEVICES as usize);
        let team = TeamId::parse(apns_benches::TEAM_ID).expect("the constant is well-formed");
        let mut team = fixture.service.team_at(NOW, team).expect("the fixture has it");
        for rule in 0..rules {
            let json = format!(
                r#"{{"name": "f{rule}", "match": {{"topic": "com.other"}}, "action": {{"answer": {{"status": 503}}}}}}"#
            );
            team.add_fault(json.parse().expect("a rule")).expect("a rule that can be");
        }
        let template = fixture.template(200, apns_benches::DEVICES as usize);
        let connection = fixture.connect();
        let requests = requests(&template);
        let mut next = requests.iter().cycle();
        group.bench_function(format!("request of 200 bytes, {rules} that do not match"), |bencher| {
            bencher.iter(|| {
                let request = next.next().expect("a cycle does not end");
                black_box(fixture.push(connection, request, &template.body))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, service, faults);
criterion_main!(benches);
