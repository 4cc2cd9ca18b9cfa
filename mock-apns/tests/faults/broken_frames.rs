//! Frames that break the protocol: each comes byte for byte as the table has it.

use mock_apns::fault::MalformedFrame;

use crate::{RawProvider, always, world};

/// A provider that has met this frame, and the frame as it came.
async fn meet(kind: MalformedFrame) -> Vec<String> {
    let fault = always(&format!(r#"{{"frame": {{"kind": "{}"}}}}"#, kind.as_str()));
    let (_mock, mut provider): (_, RawProvider) = world(&fault).await;
    provider.push().await;
    // The answer stands behind it; what cannot be decoded says so.
    provider.until_all(|seen| seen.iter().any(|line| line.contains("mock-apns-fault"))).await
}

#[tokio::test]
async fn every_kind_comes_and_the_answer_behind_it() {
    for &kind in MalformedFrame::ALL {
        let seen = meet(kind).await;
        let name = kind.as_str();
        assert_eq!(
            seen.len(),
            if kind == MalformedFrame::HeadersInterrupted { 3 } else { 2 },
            "{name}: {seen:?}"
        );
        let payload = String::from_utf8_lossy(kind.payload()).into_owned();
        if kind.frame_type() == 0 {
            assert!(seen[0].ends_with(payload.trim_end()), "{name}: {}", seen[0]);
        }
    }
}

#[tokio::test]
async fn some_of_them_in_full() {
    for (kind, expected) in [
        (MalformedFrame::DataOnStream0, "DATA {}"),
        (MalformedFrame::DataOnIdleStream, "DATA 2147483393 0x1 {}"),
        (MalformedFrame::HeadersWithoutStatus, "HEADERS 3 0x5 a=b"),
        (MalformedFrame::HeadersUpperCase, "HEADERS 3 0x5 :status=200 Apns-Id=1"),
        (MalformedFrame::RstStreamOnIdleStream, "RST_STREAM 2147483393 8"),
        (MalformedFrame::SettingsWindow, "SETTINGS 4=4294967295"),
        (MalformedFrame::SettingsEnablePush, "SETTINGS 2=1"),
        (MalformedFrame::GoAwayRaised, "GOAWAY 2147483647 0"),
        (MalformedFrame::WindowUpdateZero, "WINDOW_UPDATE 0"),
        (MalformedFrame::WindowUpdateOverflow, "WINDOW_UPDATE 2147483647"),
        (MalformedFrame::UnknownType, "0xfa 0xff what is this?"),
    ] {
        assert_eq!(meet(kind).await[0], expected);
    }
}
