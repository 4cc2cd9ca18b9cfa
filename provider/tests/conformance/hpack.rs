//! Checklist B: how the fields of a request are compressed, read from the wire.

use std::time::Duration;

use apns_provider::core::{NotSent, Outcome};
use tokio::{join, time::timeout};

use crate::{
    frames::{kind, setting, settings},
    raw_server::{RawPeer, RawRequest, RawServer},
    representations::{Form, forms},
    world::{hello, some_token},
};

/// Each field with its form; changes of the table's size are left out.
fn fields(request: &RawRequest) -> Vec<(&str, Form)> {
    let forms: Vec<Form> =
        forms(&request.block).into_iter().filter(|form| !matches!(form, Form::TableSize(_))).collect();
    assert_eq!(forms.len(), request.fields.len());
    request.fields.iter().map(|(name, _)| name.as_str()).zip(forms).collect()
}

fn form_of(request: &RawRequest, name: &str) -> Form {
    fields(request).into_iter().find(|(it, _)| *it == name).unwrap().1
}

/// Takes so many pushes, one after the other, and gives the last.
async fn takes(peer: &mut RawPeer, count: usize) -> RawRequest {
    let mut last = RawRequest::default();
    for _ in 0..count {
        last = peer.request().await;
        peer.grant(&last).await;
        peer.accepts(last.stream).await;
    }
    last
}

#[tokio::test]
async fn c18_device_and_credential_are_never_indexed_and_ids_do_not_flush_the_table() {
    let server = RawServer::start().await;
    let client = server.builder().build().unwrap();
    let serve = async {
        let mut peer = server.greeted(&[]).await;
        let first = takes(&mut peer, 1).await;
        (first, takes(&mut peer, 199).await)
    };
    let push = async {
        for _ in 0..200 {
            assert!(matches!(client.send(hello(), some_token()).await, Outcome::Accepted(_)));
        }
    };
    let ((first, last), ()) = join!(serve, push);
    for request in [&first, &last] {
        for name in [":path", "authorization"] {
            assert_eq!(form_of(request, name), Form::NeverIndexed, "{name}");
        }
        assert_eq!(form_of(request, "apns-id"), Form::WithoutIndexing);
    }
    assert_ne!(first.field("apns-id"), last.field("apns-id"));
    assert_eq!(form_of(&first, "apns-topic"), Form::Incremental);
    let same = [":method", ":scheme", ":authority", "apns-topic", "apns-push-type", "apns-priority"];
    for name in same {
        let form = form_of(&last, name);
        assert!(matches!(form, Form::Indexed { len: 1, .. }), "{name}: {form:?}");
    }
}

#[tokio::test]
async fn c18_the_table_is_as_large_as_the_server_wants_it() {
    let server = RawServer::start().await;
    let client = server.builder().build().unwrap();
    let serve = async {
        let mut peer = server.greeted(&[]).await;
        let mut last = Vec::new();
        for size in [0, 100, 4096] {
            takes(&mut peer, 2).await;
            peer.write([settings(&[(setting::HEADER_TABLE_SIZE, size)])]).await;
            peer.until(|frame| frame.kind == kind::SETTINGS && frame.is_ack()).await;
            peer.set_table_size(size as usize); // what goes beyond does not decode
            let first = takes(&mut peer, 1).await;
            assert_eq!(forms(&first.block)[0], Form::TableSize(size as usize));
            last.push(takes(&mut peer, 2).await);
        }
        last
    };
    let push = async {
        for _ in 0..15 {
            assert!(matches!(client.send(hello(), some_token()).await, Outcome::Accepted(_)));
        }
    };
    let (last, ()) = join!(serve, push);
    let from_the_table = |request: &RawRequest| {
        let dynamic = |(_, form): &(&str, Form)| matches!(form, Form::Indexed { index: 62.., .. });
        fields(request).iter().filter(|field| dynamic(field)).count()
    };
    assert_eq!(from_the_table(&last[0]), 0, "there is no table");
    assert!(from_the_table(&last[1]) < 4, "not all have room");
    assert_eq!(from_the_table(&last[2]), 4, "authority, topic, push type, priority");
}

#[tokio::test]
async fn c18_a_request_that_is_larger_than_the_server_takes_is_not_sent_and_says_so() {
    let server = RawServer::start().await;
    let client = server.builder().build().unwrap();
    let limit = [(setting::MAX_HEADER_LIST_SIZE, 500)];
    let send = timeout(Duration::from_secs(5), client.send(hello(), some_token()));
    let (outcome, mut peer) = join!(send, async { server.greeted(&limit).await });
    let outcome = outcome.expect("the caller is told at once");
    assert!(peer.settled().await.is_empty());
    let Outcome::NotSent(NotSent::FieldsTooLarge { bytes, limit: 500 }) = outcome else {
        panic!("{outcome:?}")
    };
    peer.write([settings(&[(setting::MAX_HEADER_LIST_SIZE, u32::try_from(bytes).unwrap())])]).await;
    peer.until(|frame| frame.kind == kind::SETTINGS && frame.is_ack()).await;
    let (outcome, _) = join!(client.send(hello(), some_token()), takes(&mut peer, 1));
    assert!(matches!(outcome, Outcome::Accepted(_)), "just as large as it takes: {outcome:?}");
}
