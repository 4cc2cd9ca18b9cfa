//! From the verdict on a request to its answer, and on to its device.

use std::sync::Arc;

use crate::{
    Answer, ConnectionId, Effect, Environment, MessageId, Notification, Reason, ReceivedRequest, RefusedPush,
    Request, Service, Settings, Team, Timestamp, TokenStatus,
    answer::STATUS_OK,
    filing,
    journal::{Compact, TurnedAway},
    message_id::Identifiers,
    request::FieldName,
    rules::{Judged, Refusal},
    settings::{ErrorContentType, UniqueIds},
};

impl Service {
    /// Answers a request. One that was not refused goes on its way to its device.
    pub(crate) fn conclude(
        &mut self,
        now: Timestamp,
        (connection, stream): (ConnectionId, u32),
        request: &Request,
        body: &[u8],
        judged: &Judged,
        refusal: Option<Refusal>,
    ) {
        self.answers.count(judged.environment, refusal.map(|refusal| refusal.reason), judged.push_type);
        self.mind_refusal(judged, refusal);
        let received = ReceivedRequest::new(connection, stream, judged.environment, request, body);
        let Some(mut team) = judged.team.and_then(|index| self.at(now, index)) else {
            let answer = answer(&self.settings, &mut self.identifiers, request, judged, refusal);
            let refused = refusal
                .map(|refusal| RefusedPush::new(answer.apns_id, answer.apns_unique_id, refusal, received));
            self.effects.push_back(Effect::Respond { connection, stream, answer });
            if let Some(refused) = refused {
                let state = self.providers.connections.get(&connection);
                let concerned = state.and_then(|state| filing::concerned(state, request, &self.teams));
                self.file(now, concerned, TurnedAway::Push(Box::new(refused)));
            }
            return;
        };
        let Team { settings, identifiers, .. } = &mut *team.team;
        let answer = answer(settings, identifiers, request, judged, refusal);
        let (apns_id, apns_unique_id) = (answer.apns_id, answer.apns_unique_id);
        team.around.effects.push_back(Effect::Respond { connection, stream, answer });
        match (refusal, judged.device_token) {
            (None, Some(token)) => {
                let number = team.team.next_number();
                team.accept(Arc::new(Notification {
                    number,
                    apns_id,
                    apns_unique_id,
                    received_at: team.now,
                    token,
                    push_type: judged.push_type,
                    priority: judged.priority,
                    expiration: judged.expiration,
                    collapse_id: request.get(FieldName::ApnsCollapseId).map(Into::into),
                    request: received,
                    cursor: team.team.next_cursor(),
                }));
            }
            (Some(refusal), _) => {
                let refused = RefusedPush::new(apns_id, apns_unique_id, refusal, received);
                team.log(Compact::TurnedAway(TurnedAway::Push(Box::new(refused))));
            }
            (None, None) => {}
        }
    }

    /// Minds the conduct of a provider that was refused.
    fn mind_refusal(&mut self, judged: &Judged, refusal: Option<Refusal>) {
        let (Some(team), Some(Refusal { reason, .. })) = (judged.team, refusal) else { return };
        if reason == Reason::TooManyProviderTokenUpdates {
            self.mind(team, |conduct, _| conduct.refused_token());
        } else if let (Some(token), Some(status)) = (judged.device_token, judged.token_status)
            && let Some(since) = gone_since(reason, status)
        {
            self.mind(team, |conduct, totals| conduct.answered_410(judged.now, token, since, totals));
        }
    }
}

fn answer(
    settings: &Settings,
    identifiers: &mut Identifiers,
    request: &Request,
    judged: &Judged,
    refusal: Option<Refusal>,
) -> Answer {
    let given = request.get(FieldName::ApnsId).and_then(MessageId::parse);
    let wants_unique_id = match settings.apns_unique_id {
        UniqueIds::Sandbox => refusal.is_none() && judged.environment == Environment::Sandbox,
        UniqueIds::Always => true,
        UniqueIds::Never => false,
    };
    let reason = refusal.map(|refusal| refusal.reason);
    let content_type = match (reason, settings.error_content_type) {
        (Some(_), ErrorContentType::Json) => Some("application/json"),
        _ => None,
    };
    Answer {
        status: reason.map_or(STATUS_OK, Reason::status),
        reason,
        apns_id: given.unwrap_or_else(|| identifiers.message_id()),
        apns_unique_id: wants_unique_id.then(|| identifiers.unique_id()),
        timestamp: reason.and_then(|reason| gone_since(reason, judged.token_status?)),
        content_type,
        rule: refusal.map(|refusal| refusal.rule),
    }
}

/// The `timestamp` of a 410. Other answers have none, whatever the token's status.
pub(crate) fn gone_since(reason: Reason, status: TokenStatus) -> Option<Timestamp> {
    match (reason, status) {
        (Reason::Unregistered, TokenStatus::Unregistered { since })
        | (Reason::ExpiredToken, TokenStatus::Expired { since }) => Some(since),
        _ => None,
    }
}
