//! Giving the answers of a transcript again.

use super::{Effect, Service};
use crate::{
    ConnectionId, Recorded, Team, Timestamp, Transcript, TranscriptProgress,
    answering::{Concluded, content_type},
    connection::Connection,
    fault::{Moment, Strike},
    team::TeamIndex,
    transcript::{Replayed, Replaying},
};

impl Service {
    /// From now on every request that is in `transcript` is answered as it was there, whoever sends it and with whatever
    /// credentials, and what was done there to a connection is done to the one of the same number, counted from now on. Faults are
    /// not looked at for such a request; any other is answered as usual.
    ///
    /// A push that was accepted there is delivered if the service accepts it now, too. What is answered otherwise than the
    /// service would is a firing of the fault `replay` in the journal.
    pub fn set_transcript(&mut self, transcript: Option<Transcript>) {
        self.record(|| Recorded::set_transcript(transcript.clone()));
        let opened = self.providers.next_id().ordinal();
        self.replaying = transcript.map(|transcript| Box::new(Replaying::new(transcript, opened)));
    }

    /// How far the transcript is gone through, if there is one.
    pub fn transcript_progress(&self) -> Option<TranscriptProgress> {
        self.replaying.as_deref().map(Replaying::progress)
    }

    /// Makes the answer what it was. The fault that makes the difference.
    pub(crate) fn answer_again(
        &mut self,
        replayed: Replayed,
        concluded: &mut Concluded<'_>,
    ) -> Option<Strike> {
        let team = concluded.judged.team.and_then(|index| self.teams.get(index));
        let settings = team.map_or(&self.settings, Team::settings);
        let streams = settings.max_concurrent_streams;
        if replayed.has_authenticated() {
            self.raise_again(concluded.connection, streams);
        }
        let team = concluded.judged.team.and_then(|index| self.teams.get(index));
        let settings = team.map_or(&self.settings, Team::settings);
        let own = concluded.answer.reason;
        let strike = replayed.put_into(&mut concluded.answer);
        concluded.answer.content_type = content_type(settings, concluded.answer.reason);
        concluded.is_own = concluded.answer.reason == own;
        strike
    }

    /// What is made up next is to be the identifier of no answer that is still to be given again: the seeds may be the same.
    pub(crate) fn skip_replayed_ids(&mut self, team: Option<TeamIndex>) {
        let Some(replaying) = &self.replaying else { return };
        let identifiers = match team.and_then(|index| self.teams.get_mut(index)) {
            Some(team) => &mut team.identifiers,
            None => &mut self.identifiers,
        };
        identifiers.skip_taken(|id| replaying.knows(id));
    }

    /// Lets a connection have as many streams as it had then, though nothing proves good here that it says of itself.
    fn raise_again(&mut self, connection: ConnectionId, streams: u32) {
        let has_streams = self.providers.connections.get(&connection).is_some_and(Connection::has_streams);
        if !has_streams && self.replaying.as_mut().is_some_and(|replaying| replaying.raises(connection)) {
            self.effects.push_back(Effect::MaxConcurrentStreams { connection, streams });
        }
    }

    /// Does to a connection again what was done to it.
    pub(crate) fn strike_again(&mut self, now: Timestamp, moment: Moment, id: ConnectionId) {
        if self.replaying.is_none() {
            return;
        }
        let Some(connection) = self.providers.connections.get(&id) else { return };
        let (team, requests) = (connection.team(), connection.requests());
        let again = |it: &mut Self| it.replaying.as_mut()?.at_connection(moment, id, requests);
        while let Some(strike) = again(self) {
            self.misbehave_on_connection(now, id, team, &strike);
        }
    }
}
