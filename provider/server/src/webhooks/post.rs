//! One request to a webhook.

use std::{error::Error, fmt, net::IpAddr, sync::Arc};

use apns_provider_core::{RetryAfter, UnixTime};
use apns_provider_server_core::{
    ssrf::Policy,
    webhook::{Answer, SignedHeaders, SigningSecret, TIMEOUT, Url},
};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, redirect};

use super::{
    NoClient,
    resolver::{ForbiddenName, Resolver},
};
use crate::{
    secrets::{Secret, Vault},
    store::ClaimedDelivery,
};

/// What makes requests; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Post {
    client: Client,
    vault: Arc<Vault>,
    policy: Policy,
}

/// Why a request was not made. The text is for the log.
#[derive(Debug)]
enum NotMade {
    /// It leads to where nothing may be sent.
    Forbidden(String),
    /// It may work later.
    Failed(String),
}

impl Post {
    pub(super) fn new(vault: Arc<Vault>, policy: Policy) -> Result<Self, NoClient> {
        let client = Client::builder()
            .tls_backend_preconfigured(apns_provider::web_tls())
            .dns_resolver(Arc::new(Resolver::new(policy.clone())))
            // A proxy would resolve names by itself.
            .no_proxy()
            // It would lead past what was checked.
            .redirect(redirect::Policy::none())
            .referer(false)
            .timeout(TIMEOUT)
            .user_agent(USER_AGENT)
            .build()?;
        Ok(Self { client, vault, policy })
    }

    /// Makes one, and says how it ended.
    pub(super) async fn make(&self, delivery: &ClaimedDelivery, now: UnixTime) -> Answer {
        match self.try_to(delivery, now).await {
            Ok(response) => {
                let status = response.status().as_u16();
                let retry_after = response.headers().get(RETRY_AFTER);
                let retry_after = retry_after.and_then(|value| RetryAfter::parse(value.as_bytes()));
                tracing::debug!(webhook = delivery.webhook.id.get(), status, "a webhook has answered");
                finish(response).await;
                Answer::Status { status, retry_after }
            }
            Err(why) => {
                tracing::debug!(webhook = delivery.webhook.id.get(), %why, "a webhook was not told");
                match why {
                    NotMade::Forbidden(_) => Answer::Forbidden,
                    NotMade::Failed(_) => Answer::Unanswered,
                }
            }
        }
    }

    async fn try_to(&self, delivery: &ClaimedDelivery, now: UnixTime) -> Result<Response, NotMade> {
        let webhook = &delivery.webhook.webhook;
        let url = self.checked(&webhook.url).map_err(NotMade::Forbidden)?;
        let secret = self.vault.unseal(Secret::Webhook(webhook.tenant), &webhook.secret);
        // With the right key file it can be sent later.
        let secret = secret.map_err(|why| NotMade::Failed(why.to_string()))?;
        let secret = std::str::from_utf8(&secret).ok().and_then(|text| SigningSecret::parse(text).ok());
        let secret = secret.ok_or_else(|| NotMade::Failed("its secret is damaged".into()))?;
        let body = delivery.body.as_bytes();
        let signed = SignedHeaders::sign(&[secret], delivery.event, now, body);
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", signed.id)
            .header("webhook-timestamp", signed.timestamp)
            .header("webhook-signature", signed.signature)
            .body(delivery.body.clone());
        request.send().await.map_err(|error| match forbidden_name(&error) {
            Some(why) => NotMade::Forbidden(why.to_string()),
            None => NotMade::Failed(innermost(&error)),
        })
    }

    /// It was checked when it was stored, perhaps under another policy. A host such as `2130706433` or `0x7f.1` is an address only to who
    /// connects, which resolves no address: so what is checked is the host as it is read there.
    fn checked(&self, text: &str) -> Result<reqwest::Url, String> {
        let url = Url::parse(text, &self.policy).map_err(|why| why.to_string())?;
        let url = reqwest::Url::parse(&url.to_string()).map_err(|why| why.to_string())?;
        let host = url.host_str().unwrap_or_default();
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            self.policy.check(address).map_err(|why| why.to_string())?;
        }
        Ok(url)
    }
}

/// Reads what little there is, so that the connection can be used again. With more, it is closed.
async fn finish(mut response: Response) {
    let mut left = ANSWER_MAX;
    while let Ok(Some(piece)) = response.chunk().await {
        let Some(still) = left.checked_sub(piece.len()) else { return };
        left = still;
    }
}

fn forbidden_name(error: &reqwest::Error) -> Option<&ForbiddenName> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn innermost(error: &reqwest::Error) -> String {
    // Without the URL, which may have what its receiver knows it by.
    causes(error).last().map_or_else(|| "it failed".to_owned(), ToString::to_string)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| (*cause).source())
}

impl fmt::Display for NotMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(why) | Self::Failed(why) => f.write_str(why),
        }
    }
}

const USER_AGENT: &str = concat!("apns-provider/", env!("CARGO_PKG_VERSION"));
/// Bytes of an answer's body that are read: nothing depends on them.
const ANSWER_MAX: usize = 4096;
