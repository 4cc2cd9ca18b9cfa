//! What goes wrong before anybody is known, for everyone: ALPN and certificates.

use std::net::SocketAddr;

use apns_certs::Purpose;
use mock_apns::MockApns;
use rustls::pki_types::CertificateDer;
use serde_json::json;

use crate::{
    Control, World, at_door, ok, played, refused,
    support::{Peer, Seen, trusting},
};

const H2: &[&[u8]] = &[b"h2"];
const BOTH: &[&[u8]] = &[b"h2", b"http/1.1"];

/// What a provider does in its handshake.
struct Knocking {
    at: SocketAddr,
    trusts: CertificateDer<'static>,
    offers: &'static [&'static [u8]],
}

impl Knocking {
    /// As usual, in the sandbox.
    fn at(mock: &MockApns) -> Self {
        let trusts = mock.certificates().authority().root(Purpose::Server).clone();
        Self { at: mock.sandbox(), trusts, offers: H2 }
    }

    /// The connection, or what the provider has to say of it.
    async fn knock(&self) -> Result<Peer, String> {
        let mut config = trusting(self.trusts.clone(), None);
        config.alpn_protocols = self.offers.iter().map(|protocol| protocol.to_vec()).collect();
        Peer::dial(self.at.port(), config).await.map_err(|error| format!("{error:?}"))
    }

    async fn refusal(&self) -> String {
        self.knock().await.err().expect("it is refused")
    }
}

impl World {
    /// A new provider cannot connect for this reason, who is connected still pushes, and a reset of the team ends it.
    async fn stays_shut_until_reset(mut self, why: &str) {
        let usual = Knocking::at(&self.mock);
        let refusal = usual.refusal().await;
        assert!(refusal.contains(why), "{refusal}");
        assert_eq!(self.push().await, ok());
        self.control.post("/v1/reset", "").await.expect(204);
        usual.knock().await.unwrap();
        assert_eq!(self.control.get("/v1/faults?everyone=true").await.expect(200)["faults"], json!([]));
    }
}

#[tokio::test]
async fn alpn_comes_to_http_1_1_or_nothing_and_http_2_is_spoken() {
    let World { mock, .. } = at_door("alpn-http11").await;
    for (offers, comes_to) in [(BOTH, Some(&b"http/1.1"[..])), (H2, None), (&[], None)] {
        let mut peer = Knocking { offers, ..Knocking::at(&mock) }.knock().await.unwrap();
        assert_eq!(peer.alpn(), comes_to);
        let is_settings = |seen: &[Seen]| seen.iter().any(|it| matches!(it, Seen::MaxConcurrentStreams(_)));
        assert!(is_settings(peer.read_until(is_settings).await));
    }
}

#[tokio::test]
async fn whoever_offers_a_protocol_is_refused() {
    let world = at_door("alpn-refused").await;
    Knocking { offers: &[], ..Knocking::at(&world.mock) }.knock().await.expect("who offers none is let in");
    world.stays_shut_until_reset("AlertReceived(NoApplicationProtocol)").await;
}

#[tokio::test]
async fn the_servers_certificate_has_expired() {
    at_door("server-certificate-expired").await.stays_shut_until_reset("Expired").await;
}

#[tokio::test]
async fn the_servers_certificate_is_for_another_host() {
    at_door("server-certificate-wrong-host").await.stays_shut_until_reset("NotValidForName").await;
}

#[tokio::test]
async fn nobody_knows_who_has_signed_the_servers_certificate() {
    at_door("server-certificate-unknown-ca").await.stays_shut_until_reset("UnknownIssuer").await;
}

#[tokio::test]
async fn a_new_root_comes_to_the_sandbox_and_then_to_production() {
    let mut world = played("new-root").await;
    let mock = &world.mock;
    let [old, new] = [
        mock.certificates().authority().root(Purpose::Server).clone(),
        mock.certificates().authority().new_root().clone(),
    ];
    let (sandbox, production) = (mock.sandbox(), mock.production());
    let connects = async |at, trusts: &CertificateDer<'static>| {
        Knocking { at, trusts: trusts.clone(), offers: H2 }.knock().await.is_ok()
    };
    for (days, [old_in_sandbox, old_in_production]) in
        [("0s", [true, true]), ("30d", [false, true]), ("35d", [false, false])]
    {
        world.control.post("/v1/clock/advance", &json!({"by": days}).to_string()).await.expect(200);
        assert_eq!(connects(sandbox, &old).await, old_in_sandbox, "{days}");
        assert_eq!(connects(sandbox, &new).await, !old_in_sandbox, "{days}");
        assert_eq!(connects(production, &old).await, old_in_production, "{days}");
        assert_eq!(connects(production, &new).await, !old_in_production, "{days}");
    }
    world.bearer = format!("bearer {}", world.mock.team().provider_token().unwrap());
    assert_eq!(world.push().await, ok(), "who is connected stays so");
}

#[tokio::test]
async fn credentials_expire_in_30_days() {
    let mut world = played("credentials-expire").await;
    assert_eq!(world.push().await, ok());
    world.advance("30d").await;
    assert_eq!(world.push().await, refused(403, "BadCertificate"));
    let refusal = Knocking::at(&world.mock).refusal().await;
    assert!(refusal.contains("AlertReceived(CertificateExpired)"), "{refusal}");
}

#[tokio::test]
async fn what_a_teams_scenario_gives_to_everyone_goes_with_that_team() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    let team = mock.create_team("com.example.mine").unwrap();
    let id = team.id().to_string();
    let play = format!("/v1/scenarios/alpn-refused/play?team={id}");
    control.post(&play, "").await.expect(200);
    let faults = control.get("/v1/faults?everyone=true").await.expect(200);
    assert_eq!(faults["faults"][0]["played-by"], *id, "{faults}");
    assert_eq!(control.get(&format!("/v1/faults?team={id}")).await.expect(200)["faults"], json!([]));

    let again = control.post("/v1/scenarios/alpn-refused/play", "").await.error(409);
    assert!(again.0 == "conflict" && again.1.contains("faults-for-everyone[0]: "), "{again:?}");
    control.post("/v1/reset", "").await.expect(204);
    Knocking::at(&mock).refusal().await;
    control.post(&format!("/v1/reset?team={id}"), "").await.expect(204);
    Knocking::at(&mock).knock().await.unwrap();

    control.post(&play, "").await.expect(200);
    Knocking::at(&mock).refusal().await;
    control.delete(&format!("/v1/teams/{id}")).await.expect(204);
    Knocking::at(&mock).knock().await.unwrap();
    control.post("/v1/scenarios/alpn-refused/play", "").await.expect(200);
    control.post("/v1/reset?all=true", "").await.expect(204);
    Knocking::at(&mock).knock().await.unwrap();
}
