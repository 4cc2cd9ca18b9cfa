//! C-20: the provider token's form.

use super::{
    super::super::{
        evidence::Evidence,
        item::{Acting, Finding, Play},
        protocol::Options,
        stage::{PATIENCE, Stage},
    },
    token_of,
};

pub(super) fn plays() -> Vec<Play> {
    vec![Play::new("strict-reader", some_pushes, every_token_is_of_the_strict_form).needing(&["key"])]
}

fn some_pushes(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options::default()).await?;
        for _ in 0..PUSHES {
            stage.send(stage.push()).await?;
            stage.results(PATIENCE).await?;
        }
        Ok(())
    })
}

fn every_token_is_of_the_strict_form(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    if requests.is_empty() {
        return Err(Finding::wrong("a request", "none"));
    }
    for request in &requests {
        token_of(request)?.check(&evidence.keys).map_err(|why| {
            let expected =
                "alg ES256 and kid, iss and a whole iat, no more and no padding, and R and S that verify";
            Finding::wrong(expected, why).at(request.connection, request.at)
        })?;
    }
    Ok(())
}

const PUSHES: usize = 3;
