//! What a person asks: why a request is answered as it is.

use super::Service;
use crate::{
    Opened, ReceivedRequest, Request, Timestamp,
    connection::{Admission, Connection},
    explain::{ExplainOn, Explanation},
    provider_token::bearer_token,
    rules::{Checking, Input},
    verified_tokens::VerifiedTokens,
};

impl Service {
    /// What [`request`](Self::request) would do with a request, and why: every rule with what it looked at. Nothing is
    /// changed by asking. `None`: the service has no such connection.
    pub fn explain(
        &self,
        now: Timestamp,
        on: ExplainOn<'_>,
        request: &Request,
        body: &[u8],
    ) -> Option<Explanation> {
        let new;
        let connection = match on {
            ExplainOn::Connection(id) => {
                self.providers.connections.get(&id).filter(|connection| !connection.errors.has_ended())?
            }
            ExplainOn::New(opened) => {
                new = Connection::open(now, &opened, &self.teams);
                &new
            }
        };
        if let Admission::Refused(reason) = connection.admission {
            return Some(Explanation::of_goaway(reason));
        }
        // What was verified before is not read again, as for a real push; what is verified now is not remembered.
        let mut tokens = VerifiedTokens::default();
        if let Some(bearer) = bearer_token(request)
            && let Some(verified) = self.providers.verified.get(bearer)
        {
            tokens.insert(bearer, verified);
        }
        let input = Input {
            now,
            settings: &self.settings,
            verify: self.verify,
            teams: &self.teams,
            token_past: &self.providers.token_past,
            connection,
            request,
            body,
        };
        Some(Explanation::of(&mut Checking::new(input, &mut tokens)))
    }

    /// What would be answered now to a request that came before, and why: on its connection, if that is still open, or
    /// else on a new one without a certificate.
    pub fn explain_received(&self, now: Timestamp, received: &ReceivedRequest) -> Explanation {
        let (request, payload) = (received.to_request(), received.payload());
        let on = ExplainOn::Connection(received.connection());
        self.explain(now, on, &request, payload).unwrap_or_else(|| {
            let environment = received.environment();
            let new = ExplainOn::New(Opened { environment, server_name: None, certificate: None });
            self.explain(now, new, &request, payload).expect("a new connection is always there")
        })
    }
}
