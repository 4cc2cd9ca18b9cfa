//! From the verdict on a request to its answer, and on to its device.

use std::sync::Arc;

use crate::{
    Answer, ConnectionId, Effect, Environment, MessageId, Notification, Reason, ReceivedRequest, RefusedPush,
    Request, Service, Settings, Team, TeamAt, Timestamp, TokenStatus,
    answer::STATUS_OK,
    filing,
    journal::TurnedAway,
    message_id::Identifiers,
    request::FieldName,
    rules::{Judged, Refusal},
    settings::{ErrorContentType, UniqueIds},
    team::TeamIndex,
    transcript::Replayed,
};

/// What the service makes of a request, unless a fault fires at it.
#[derive(Debug)]
pub(crate) enum Verdict {
    Accepted(Arc<Notification>),
    Refused(Box<RefusedPush>),
}

/// What the rules have found, and what a transcript has of the request.
type Judgement<'a, 'r> = (&'a Judged, Option<Refusal>, Option<&'r Replayed>);

/// A request that was judged, and what follows from it.
#[derive(Debug)]
pub(crate) struct Concluded<'a> {
    pub(crate) connection: ConnectionId,
    pub(crate) stream: u32,
    pub(crate) judged: &'a Judged,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) answer: Answer,
    pub(crate) verdict: Verdict,
    /// Whether the answer is that of the verdict, and not that of a transcript.
    pub(crate) is_own: bool,
    /// The team in whose journal it goes; `None`: it is nobody's.
    pub(crate) files_with: Option<TeamIndex>,
}

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
        let received = ReceivedRequest::new(connection, stream, judged.environment, request, body);
        let replayed = self.replaying.as_mut().and_then(|replaying| replaying.answer(&received));
        if replayed.is_none() {
            self.skip_replayed_ids(judged.team);
        }
        let judgement = (judged, refusal, replayed.as_ref());
        let concluded = match judged.team.and_then(|index| self.at(now, index)) {
            Some(team) => team.conclude((connection, stream), request, judgement, received),
            None => self.conclude_for_nobody((connection, stream), request, judgement, received),
        };
        // Neither is possible without a refusal: a push without a device token, or without a team.
        let Some(mut concluded) = concluded else { return };
        let strike = match replayed {
            Some(replayed) => self.answer_again(replayed, &mut concluded),
            None => self.strike_at_request(now, &concluded),
        };
        match strike {
            Some(strike) => self.misbehave(now, &strike, concluded),
            None => self.respond(now, concluded),
        }
    }

    /// A request whose credentials are nobody's.
    fn conclude_for_nobody<'a>(
        &mut self,
        (connection, stream): (ConnectionId, u32),
        request: &Request,
        (judged, refusal, replayed): Judgement<'a, '_>,
        received: ReceivedRequest,
    ) -> Option<Concluded<'a>> {
        let answer = answer(&self.settings, &mut self.identifiers, request, (judged, refusal, replayed));
        let verdict = Verdict::refused(&answer, refusal?, received);
        let state = self.providers.connections.get(&connection)?;
        let files_with = filing::concerned(state, request, &self.teams);
        Some(Concluded { connection, stream, judged, refusal, answer, verdict, is_own: true, files_with })
    }

    fn respond(&mut self, now: Timestamp, concluded: Concluded<'_>) {
        let Concluded { connection, stream, judged, refusal, answer, verdict, files_with, .. } = concluded;
        self.count_answer(judged, refusal);
        self.effects.push_back(Effect::Respond { connection, stream, answer });
        self.settle(now, files_with, verdict);
        self.call_to_account(now, connection, judged.team, refusal.map(|refusal| refusal.reason));
    }

    /// Lets the verdict take effect.
    pub(crate) fn settle(&mut self, now: Timestamp, team: Option<TeamIndex>, verdict: Verdict) {
        match verdict {
            Verdict::Refused(refused) => self.file(now, team, TurnedAway::Push(refused)),
            Verdict::Accepted(notification) => {
                if let Some(mut team) = team.and_then(|index| self.at(now, index)) {
                    team.accept(notification);
                }
            }
        }
    }

    /// Counts an answer, and minds the conduct of a provider that was refused.
    pub(crate) fn count_answer(&mut self, judged: &Judged, refusal: Option<Refusal>) {
        self.answers.count(judged.environment, refusal.map(|refusal| refusal.reason), judged.push_type);
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

impl TeamAt<'_> {
    /// A request whose credentials are this team's.
    fn conclude<'a>(
        self,
        (connection, stream): (ConnectionId, u32),
        request: &Request,
        (judged, refusal, replayed): Judgement<'a, '_>,
        received: ReceivedRequest,
    ) -> Option<Concluded<'a>> {
        let Team { settings, identifiers, .. } = &mut *self.team;
        let answer = answer(settings, identifiers, request, (judged, refusal, replayed));
        let verdict = match refusal {
            Some(refusal) => Verdict::refused(&answer, refusal, received),
            None => Verdict::Accepted(Arc::new(Notification {
                number: self.team.next_number(),
                apns_id: answer.apns_id,
                apns_unique_id: answer.apns_unique_id,
                received_at: self.now,
                token: judged.device_token?,
                push_type: judged.push_type,
                priority: judged.priority,
                expiration: judged.expiration,
                collapse_id: request.get(FieldName::ApnsCollapseId).map(Into::into),
                request: received,
                cursor: self.team.next_cursor(),
            })),
        };
        let files_with = judged.team;
        Some(Concluded { connection, stream, judged, refusal, answer, verdict, is_own: true, files_with })
    }
}

impl Verdict {
    fn refused(answer: &Answer, refusal: Refusal, received: ReceivedRequest) -> Self {
        Self::Refused(Box::new(RefusedPush::new(answer, refusal, received)))
    }

    /// What came over the wire.
    pub(crate) fn request(&self) -> &ReceivedRequest {
        match self {
            Self::Accepted(notification) => &notification.request,
            Self::Refused(refused) => &refused.request,
        }
    }
}

fn answer(
    settings: &Settings,
    identifiers: &mut Identifiers,
    request: &Request,
    (judged, refusal, replayed): Judgement<'_, '_>,
) -> Answer {
    let given = request.get(FieldName::ApnsId).and_then(MessageId::parse);
    let wants_unique_id = match settings.apns_unique_id {
        UniqueIds::Sandbox => refusal.is_none() && judged.environment == Environment::Sandbox,
        UniqueIds::Always => true,
        UniqueIds::Never => false,
    };
    let reason = refusal.map(|refusal| refusal.reason);
    let known = replayed.and_then(|replayed| replayed.apns_id);
    Answer {
        status: reason.map_or(STATUS_OK, Reason::status),
        reason,
        apns_id: given.or(known).unwrap_or_else(|| identifiers.message_id()),
        apns_unique_id: match replayed {
            Some(replayed) => replayed.apns_unique_id,
            None => wants_unique_id.then(|| identifiers.unique_id()),
        },
        timestamp: reason.and_then(|reason| gone_since(reason, judged.token_status?)),
        content_type: content_type(settings, reason),
        rule: refusal.map(|refusal| refusal.rule),
        fault: None,
    }
}

/// The `content-type` of an answer with this reason.
pub(crate) fn content_type(settings: &Settings, reason: Option<Reason>) -> Option<&'static str> {
    match (reason, settings.error_content_type) {
        (Some(_), ErrorContentType::Json) => Some("application/json"),
        _ => None,
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
