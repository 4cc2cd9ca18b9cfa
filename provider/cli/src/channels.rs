//! `apns-provider channels`: broadcast channels, created, read, deleted and listed.

use std::process::ExitCode;

use apns_provider::Channels;
use apns_provider_core::{
    BundleId, Channel, ChannelError, ChannelId, ChannelRejection, MessageStoragePolicy, Reason,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    exit,
    options::{AddressArgs, CredentialArgs},
    report, runtime,
};

/// What to do about channels.
#[derive(Debug, Subcommand)]
pub(super) enum ChannelsCommand {
    /// Creates a channel and prints its ID.
    Create {
        /// Store the latest message for devices that cannot be reached, up to 8 hours; without it none is stored, and more may be sent.
        #[arg(long)]
        store: bool,

        #[command(flatten)]
        whose: WhoseArgs,
    },
    /// Prints how a channel was created.
    Read {
        /// The channel's ID.
        #[arg(value_name = "CHANNEL", value_parser = ChannelId::parse)]
        channel: ChannelId,

        #[command(flatten)]
        whose: WhoseArgs,
    },
    /// Deletes a channel.
    Delete {
        /// The channel's ID.
        #[arg(value_name = "CHANNEL", value_parser = ChannelId::parse)]
        channel: ChannelId,

        #[command(flatten)]
        whose: WhoseArgs,
    },
    /// Prints the IDs of all channels of the app, one a line.
    List {
        #[command(flatten)]
        whose: WhoseArgs,
    },
}

/// Whose channels, and where.
#[derive(Args, Debug)]
pub(super) struct WhoseArgs {
    /// The app's bundle ID.
    #[arg(long, env = "APNS_PROVIDER_BUNDLE_ID", value_name = "ID", value_parser = BundleId::parse)]
    bundle_id: BundleId,

    /// Print the answer as one line of JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    address: AddressArgs,

    #[command(flatten)]
    credential: CredentialArgs,
}

pub(super) fn run(command: &ChannelsCommand) -> Result<ExitCode, String> {
    let (ChannelsCommand::Create { whose, .. }
    | ChannelsCommand::Read { whose, .. }
    | ChannelsCommand::Delete { whose, .. }
    | ChannelsCommand::List { whose }) = command;
    let channels = whose.address.sender(&whose.credential)?.channels(whose.bundle_id.clone())?;
    match runtime::for_one(ask(&channels, command))? {
        Ok(answer) if whose.json => report::print(answer.json)?,
        // An app without channels has no line.
        Ok(answer) if answer.text.is_empty() => {}
        Ok(answer) => report::print(answer.text)?,
        Err(error) => {
            if whose.json {
                report::print(refusal(&error))?;
            } else {
                report::note(&error.to_string());
            }
            return Ok(ExitCode::from(exit::code_of_channels(&error)));
        }
    }
    Ok(ExitCode::from(exit::ACCEPTED))
}

/// What was answered, for a person and for a program.
struct Answer {
    text: String,
    json: Value,
}

async fn ask(channels: &Channels, command: &ChannelsCommand) -> Result<Answer, ChannelError> {
    Ok(match command {
        ChannelsCommand::Create { store, .. } => {
            let channel = channels.create(policy(*store)).await?;
            Answer { text: channel.id.to_string(), json: as_json(&channel) }
        }
        ChannelsCommand::Read { channel, .. } => {
            let channel = channels.read(channel.clone()).await?;
            let stored = match channel.storage {
                MessageStoragePolicy::NoMessageStored => "no message is stored",
                MessageStoragePolicy::MostRecentMessageStored => "the latest message is stored",
            };
            let text = format!("{}: {stored}", channel.id);
            Answer { text, json: as_json(&channel) }
        }
        ChannelsCommand::Delete { channel, .. } => {
            channels.delete(channel.clone()).await?;
            Answer {
                text: format!("{channel}: deleted"),
                json: json!({ "channel-id": channel, "deleted": true }),
            }
        }
        ChannelsCommand::List { .. } => {
            let ids = channels.list().await?;
            let lines: Vec<&str> = ids.iter().map(ChannelId::as_str).collect();
            Answer { text: lines.join("\n"), json: json!({ "channels": lines }) }
        }
    })
}

fn policy(store: bool) -> MessageStoragePolicy {
    if store { MessageStoragePolicy::MostRecentMessageStored } else { MessageStoragePolicy::NoMessageStored }
}

fn as_json(channel: &Channel) -> Value {
    json!({ "channel-id": channel.id, "message-storage-policy": channel.storage.as_number() })
}

fn refusal(error: &ChannelError) -> Value {
    let why = error.to_string();
    match error {
        ChannelError::Rejected(ChannelRejection { status, reason, request_id, .. }) => json!({
            "error": why,
            "status": status,
            "reason": reason.as_ref().map(Reason::as_str),
            "apns-request-id": request_id.as_str(),
        }),
        _ => json!({ "error": why }),
    }
}
