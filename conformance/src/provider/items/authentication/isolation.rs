//! C-27: what one credential does is not seen on another one's connection.

use std::{collections::BTreeSet, time::Duration};

use mock_apns::{Environment, MockTeam};

use super::{
    super::super::{
        evidence::Evidence,
        item::{Acting, Finding, Play, Stop},
        protocol::{Credential, Options, Push},
        stage::{PATIENCE, Stage, device_tokens_of},
    },
    at, token_of,
};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("two-teams", two_teams, each_connection_is_of_one).needing(&["key"]),
        Play::new("two-keys-of-a-team", two_keys, each_connection_is_of_one).needing(&["key"]),
        Play::new("two-certificates", two_certificates, each_connection_is_of_one).needing(&["certificate"]),
        Play::new("key-and-certificate", key_and_certificate, each_connection_is_of_one)
            .needing(&["key", "certificate"]),
        Play::new("sandbox-and-production", two_environments, each_connection_is_of_one).needing(&["key"]),
    ]
}

/// As whom, where to, and a push that goes well so: to a device token of its own.
#[derive(Clone)]
struct Sender {
    environment: Environment,
    credential: Credential,
    push: Push,
}

fn two_teams(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let other = other_team(stage)?;
        let credential = stage.key_of(&other, other.key());
        let one = sender(stage, &stage.team(), stage.key())?;
        let two = sender(stage, &other, credential)?;
        take_turns(stage, [one, two]).await
    })
}

fn two_keys(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let tokens = stage.device_tokens(2)?;
        let credentials = [stage.key(), stage.new_key("SECONDKEY1")?];
        let senders = tokens.into_iter().zip(credentials).map(|(device_token, credential)| Sender {
            environment: Environment::Sandbox,
            credential,
            push: Push { device_token, ..stage.push() },
        });
        let senders: Vec<Sender> = senders.collect();
        take_turns(stage, senders).await
    })
}

fn two_certificates(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let other = other_team(stage)?;
        let one = sender(stage, &stage.team(), stage.certificate()?)?;
        let two = sender(stage, &other, stage.certificate_of(&other)?)?;
        take_turns(stage, [one, two]).await
    })
}

fn key_and_certificate(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let other = other_team(stage)?;
        let one = sender(stage, &stage.team(), stage.key())?;
        let two = sender(stage, &other, stage.certificate_of(&other)?)?;
        take_turns(stage, [one, two]).await
    })
}

fn two_environments(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let senders = [Environment::Sandbox, Environment::Production].map(|environment| {
            let tokens = device_tokens_of(&stage.team(), environment, 1)?;
            let push = Push { device_token: tokens.into_iter().next().unwrap_or_default(), ..stage.push() };
            Ok::<_, Stop>(Sender { environment, credential: stage.key(), push })
        });
        let [sandbox, production] = senders;
        take_turns(stage, [sandbox?, production?]).await
    })
}

fn other_team(stage: &Stage) -> Result<MockTeam, Stop> {
    stage.mock.create_team("com.example.of-another-team").map_err(|error| Stop::Broken(error.to_string()))
}

fn sender(stage: &Stage, team: &MockTeam, credential: Credential) -> Result<Sender, Stop> {
    let tokens = device_tokens_of(team, Environment::Sandbox, 1)?;
    let device_token = tokens.into_iter().next().unwrap_or_default();
    let push = Push { device_token, topic: team.app().to_string(), ..stage.push() };
    Ok(Sender { environment: Environment::Sandbox, credential, push })
}

/// Pushes of each in turn, while the last ones of the one before are under way.
async fn take_turns(stage: &mut Stage, senders: impl IntoIterator<Item = Sender>) -> Result<(), Stop> {
    stage.fault_for_everyone(r#"{"name":"slow","on":"request","action":{"answer":{"delay":"150ms"}}}"#)?;
    let senders: Vec<Sender> = senders.into_iter().collect();
    for _ in 0..TURNS {
        for Sender { environment, credential, push } in &senders {
            stage.configure_for(*environment, credential.clone(), Options::default()).await?;
            let before = stage.look(|evidence| evidence.requests().len());
            stage.send_many(PUSHES, push).await?;
            let out = |evidence: &Evidence| evidence.requests().len() >= before + PUSHES;
            stage.until(OUT_WITHIN, out).await?;
        }
    }
    stage.results(PATIENCE).await?;
    Ok(())
}

fn each_connection_is_of_one(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    for number in 0..evidence.connections.len() {
        let here = || requests.iter().filter(|request| request.connection == number);
        let senders: BTreeSet<_> = here().map(|request| request.device_token().unwrap_or_default()).collect();
        let mut keys = BTreeSet::new();
        for request in here() {
            let token = request.provider_token().map(|_| token_of(request)).transpose()?;
            keys.insert(token.and_then(|token| token.key_id().map(ToOwned::to_owned)));
        }
        if senders.len() > 1 || keys.len() > 1 {
            let got = format!("pushes of {} senders under {} credentials", senders.len(), keys.len());
            return Err(at(Finding::wrong("each connection of one credential", got), here().next()));
        }
    }
    // A push under another's credential, or in the other environment, is refused.
    if let Some(refused) = requests.iter().find(|it| it.status().is_some_and(|status| status != 200)) {
        let body = refused.answer.as_ref().map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
        let wrong = Finding::wrong("each push under its own credential", body.unwrap_or_default());
        return Err(wrong.at(refused.connection, refused.at));
    }
    let wanted: BTreeSet<_> = evidence.sent.values().map(|sent| sent.device_token.as_str()).collect();
    let accepted: BTreeSet<_> =
        requests.iter().filter(|it| it.status() == Some(200)).filter_map(|it| it.device_token()).collect();
    if wanted != accepted {
        return Err(Finding::wrong("pushes of both", format!("of {}", accepted.len())));
    }
    Ok(())
}

/// How often each has its turn, and with how many pushes.
const TURNS: usize = 3;
const PUSHES: usize = 5;
/// How long a turn may take that does not get on.
const OUT_WITHIN: Duration = Duration::from_secs(5);
