use serde_json::Value;

use crate::{
    connect_proxy::{ConnectProxy, Manners},
    desk::{Desk, KEY, Ran, provider, run},
};

/// The step with this name.
fn step(ran: &Ran, name: &str) -> Value {
    let json = ran.json();
    let step = json["steps"].as_array().unwrap().iter().find(|step| step["step"] == name);
    step.unwrap_or_else(|| panic!("no {name} in {json}")).clone()
}

/// The steps that failed.
fn failed(ran: &Ran) -> Vec<String> {
    let json = ran.json();
    let failed = json["steps"].as_array().unwrap().iter().filter(|step| step["verdict"] == "failed");
    failed.map(|step| step["step"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn all_is_well_and_each_step_says_what_it_saw() {
    let desk = Desk::new().await;
    let token = desk.token("sandbox");
    let ran = desk.run(&format!("doctor {} {KEY} --device-token {token}", desk.to())).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for words in [
        "ok       dns           localhost is 127.0.0.1",
        "ok       tcp           127.0.0.1:",
        "ok       proxy         none",
        "TLSv1_3",
        "valid from",
        "ok       alpn          h2",
        "MAX_CONCURRENT_STREAMS 1,",
        "ok       answer        200",
        "ok       credential    the provider token was accepted",
        "ok       environment",
        "ok       topic",
        "ok       device-token",
    ] {
        assert!(ran.stdout.contains(words), "no {words:?} in {}", ran.stdout);
    }
    assert_eq!(desk.seen().len(), 1, "one push");
    assert_eq!(desk.seen()[0].header("apns-push-type"), Some("background"));
}

#[tokio::test]
async fn without_a_device_the_credential_and_the_topic_are_judged() {
    let desk = Desk::new().await;
    for credential in [KEY, "--ca ca.pem --certificate certificate.pem"] {
        let ran = desk.run(&format!("doctor {} {credential} --json", desk.to())).await;
        assert_eq!((ran.code, failed(&ran)), (Some(0), vec![]), "{ran:?}");
        assert_eq!(step(&ran, "answer")["says"], "400 BadDeviceToken");
        assert_eq!(
            (&step(&ran, "topic")["verdict"], &step(&ran, "device-token")["verdict"]),
            (&"ok".into(), &"skipped".into())
        );
    }
}

#[tokio::test]
async fn what_fails_is_named_with_its_likely_causes() {
    let desk = Desk::new().await;
    let to = desk.to();
    let production = format!("--device-token {}", desk.token("production"));
    for (arguments, code, subject, cause) in [
        (format!("{to} {KEY} {production}"), 1, "device-token", "of the other environment"),
        (format!("{to} {}", KEY.replace("TEAM01", "TEAM02")), 2, "credential", "team ID is wrong"),
        (format!("{to} --ca ca.pem --certificate certificate.pem --bundle-id a.b"), 2, "topic", "bundle ID"),
        (format!("{to} --ca ca.pem --certificate expired.pem"), 2, "credential", "has expired"),
        (format!("{to} {}", KEY.replace("ca.pem", "certificate.pem")), 2, "tls", "--ca"),
        (format!("{} {KEY}", to.replace("localhost", "127.0.0.2")), 3, "tcp", "firewall"),
        (format!("--to no-such-host.invalid {KEY}"), 3, "dns", "name is not written right"),
    ] {
        let ran = desk.run(&format!("doctor --json {arguments}")).await;
        assert_eq!((ran.code, failed(&ran)), (Some(code), vec![subject.to_owned()]), "{arguments}: {ran:?}");
        let causes = step(&ran, subject)["causes"].to_string();
        assert!(causes.contains(cause), "{arguments}: {causes}");
    }
    // The certificate that is not trusted is shown all the same.
    let ran = desk.run(&format!("doctor --json {to} {}", KEY.replace("ca.pem", "certificate.pem"))).await;
    assert!(step(&ran, "tls")["says"].as_str().unwrap().contains("valid from"), "{ran:?}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_by_the_provider_tokens_fate() {
    let desk = Desk::new().await;
    desk.mock.team().advance_clock(std::time::Duration::from_hours(3));
    let ran = desk.run(&format!("doctor --json {} {KEY}", desk.to())).await;
    assert_eq!((ran.code, step(&ran, "clock")["verdict"].clone()), (Some(2), "failed".into()), "{ran:?}");
}

#[tokio::test]
async fn a_server_that_is_no_apns_is_told() {
    let desk = Desk::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ =
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let ran = desk.run(&format!("doctor --json --to localhost:{port} {KEY}")).await;
    assert_eq!((ran.code, failed(&ran)), (Some(2), vec!["tls".to_owned()]), "{ran:?}");
}

#[tokio::test]
async fn faults_on_the_way_are_told() {
    let desk = Desk::new().await;
    for (fault, subject) in [
        (r#"{"name":"f","action":{"answer":{"status":503,"reason":"ServiceUnavailable"}}}"#, "answer"),
        (
            r#"{"name":"f","action":{"answer":{"status":403,"reason":"BadEnvironmentKeyIdInToken"}}}"#,
            "environment",
        ),
        (r#"{"name":"f","action":{"answer":{"status":400,"reason":"BrandNew2027"}}}"#, "answer"),
        (r#"{"name":"f","action":{"goaway":{"reason":"Shutdown","last-stream":"before"}}}"#, "answer"),
    ] {
        let fault = desk.mock.team().fault(fault.parse().unwrap()).unwrap();
        let ran = desk.run(&format!("doctor --json {} {KEY}", desk.to())).await;
        assert_eq!((failed(&ran), fault.fired()), (vec![subject.to_owned()], 1), "{ran:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_told() {
    let desk = Desk::new().await;
    let stall = r#"{"name":"mute","on":"connection","action":{"stall":{"reads":false,"for":"60s"}}}"#;
    let arguments = format!("doctor --json --timeout 1 {} {KEY}", desk.to());
    // At the door the team is not known yet: the fault for everyone holds back SETTINGS, the team's the answer.
    let team = desk.mock.team().fault(stall.parse().unwrap()).unwrap();
    let ran = desk.run(&arguments).await;
    assert_eq!((ran.code, failed(&ran)), (Some(3), vec!["answer".to_owned()]), "{ran:?}");
    drop(team);
    let _everyone = desk.mock.fault(stall.parse().unwrap()).unwrap();
    let ran = desk.run(&arguments).await;
    assert_eq!((ran.code, failed(&ran)), (Some(3), vec!["settings".to_owned()]), "{ran:?}");
    assert_eq!(step(&ran, "answer")["verdict"], "skipped");
}

#[tokio::test]
async fn an_address_is_asked_for() {
    let ran = run(provider("doctor --bundle-id com.example.app")).await;
    assert_eq!((ran.code, ran.stderr.contains("--to is missing")), (Some(2), true), "{ran:?}");
}

/// `doctor` for a name that the double's certificate is for and that only a proxy finds, with this proxy.
async fn through(desk: &Desk, proxy: &str) -> Ran {
    let arguments = "--to api.sandbox.push.apple.com --timeout 5";
    let mut command = desk.command(&format!("doctor --json {arguments} {KEY}"));
    command.env("HTTPS_PROXY", proxy);
    run(command).await
}

#[tokio::test]
async fn the_environments_proxy_is_a_step_of_its_own() {
    let desk = Desk::new().await;
    let sandbox = desk.mock.sandbox().port();
    let proxy = ConnectProxy::start(Manners::LeadsTo(sandbox, Some("Basic cHVzaDpzM2NyZXQ="))).await;
    let at = |userinfo: &str| format!("http://{userinfo}127.0.0.1:{}", proxy.port);
    let ran = through(&desk, &at("push:s3cret@")).await;
    assert_eq!((ran.code, failed(&ran)), (Some(0), vec![]), "{ran:?}");
    assert_eq!(proxy.asked(), ["CONNECT api.sandbox.push.apple.com:443 HTTP/1.1"]);
    assert_eq!(step(&ran, "dns")["says"], "127.0.0.1, the proxy, is 127.0.0.1");
    let says = step(&ran, "proxy")["says"].as_str().unwrap().to_owned();
    assert!(says.ends_with("opened a way to api.sandbox.push.apple.com:443"), "{says}");
    assert!(!ran.said().contains("s3cret"), "{ran:?}");

    let (refusing, silent) = (
        ConnectProxy::start(Manners::Answers("HTTP/1.1 403 Forbidden\r\n\r\n")).await,
        ConnectProxy::start(Manners::Silent).await,
    );
    let failing = ConnectProxy::start(Manners::Answers("HTTP/1.1 502 Bad Gateway\r\n\r\n")).await;
    let port = |port: u16| format!("127.0.0.1:{port}");
    for (proxy, code, subject, cause) in [
        (at(""), 2, "proxy", "http://user:password@host:port"),
        (at("push:wrong@"), 2, "proxy", "password is wrong"),
        (port(refusing.port), 2, "proxy", "does not allow"),
        (port(failing.port), 2, "proxy", "cannot find or reach the server"),
        (port(silent.port), 2, "proxy", "no HTTP proxy"),
        ("socks5://127.0.0.1:1".to_owned(), 2, "proxy", "Mend the variable"),
        ("127.0.0.2:1".to_owned(), 3, "tcp", "HTTPS_PROXY"),
    ] {
        let ran = through(&desk, &proxy).await;
        assert_eq!((ran.code, failed(&ran)), (Some(code), vec![subject.to_owned()]), "{proxy}: {ran:?}");
        let causes = step(&ran, subject)["causes"].to_string();
        assert!(causes.contains(cause), "{proxy}: {causes}");
    }
}
