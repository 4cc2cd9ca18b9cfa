//! What a newcomer reads first.

use std::fmt::{self, Display, Formatter};

use super::{folder::Folder, ready_file::ReadyFile};
use crate::{Named as _, Profile};

/// Prints addresses, credentials and a first push to standard output.
#[expect(clippy::print_stdout, reason = "the answer to starting the command")]
pub(super) fn print(ready: &ReadyFile) {
    println!("{}", Banner(ready));
}

struct Banner<'a>(&'a ReadyFile);

impl Display for Banner<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ready = self.0;
        writeln!(
            f,
            "mock-apns {} is ready. Nothing is ever sent to Apple or to a real device.\n",
            ready.version
        )?;
        writeln!(f, "  sandbox      {}   (listening on {})", ready.sandbox.url, ready.sandbox.address)?;
        writeln!(f, "  production   {}   (listening on {})", ready.production.url, ready.production.address)?;
        let devices = &ready.device_gateway;
        writeln!(f, "  devices      {}   (listening on {})", devices.url, devices.address)?;
        let control = &ready.control;
        writeln!(f, "  control API  {}/docs   (listening on {})", control.url, control.address)?;
        writeln!(f, "  CA           {}", ready.ca.display())?;
        writeln!(f, "  team id      {}", ready.team_id)?;
        for key in &ready.keys {
            writeln!(f, "  key id       {}   {}   ({})", key.key_id, key.file.display(), key.scope)?;
        }
        writeln!(f, "  bundle id    {}", ready.bundle_id)?;
        writeln!(f, "  seed         {}", ready.seed)?;
        if Profile::from_name(&ready.profile) == Some(Profile::Hostile) {
            let seed = ready.seed;
            writeln!(
                f,
                "  hostile      things go wrong by chance; again the same: --profile hostile --seed {seed}"
            )?;
        }
        writeln!(f, "  all files    {}   (certificates, ready.json)\n", ready.folder.display())?;
        writeln!(f, "Device tokens, and what a correct push to each is answered:\n")?;
        for token in &ready.device_tokens {
            let (name, answer, topic, token) = (&token.name, &token.answer, &token.topic, &token.token);
            writeln!(f, "  {name:28} {answer:17} {topic}\n    {token}")?;
        }
        write!(f, "\nSend the first push:\n\n{}\n", FirstPush(ready))?;
        write!(
            f,
            "See it arrive, as the phone that it is for, in another terminal:\n\n{}\n",
            DeviceCommand(ready)
        )?;
        write!(f, "Start a provider server that pushes here:\n\n{}", ProviderServerCommand(ready))
    }
}

/// A curl command that works when pasted.
struct FirstPush<'a>(&'a ReadyFile);

impl Display for FirstPush<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ready = self.0;
        let Some(token) = ready.device_tokens.first() else { return Ok(()) };
        writeln!(f, "curl -i --http2 --cacert '{}' \\", ready.ca.display())?;
        writeln!(f, "  -H \"authorization: bearer $(cat '{}')\" \\", ready.provider_token.display())?;
        writeln!(f, "  -H 'apns-topic: {}' -H 'apns-push-type: alert' \\", token.topic)?;
        writeln!(f, "  -d '{{\"aps\":{{\"alert\":\"Hello\"}}}}' \\")?;
        writeln!(f, "  {}/3/device/{}", ready.sandbox.url, token.token)
    }
}

/// A provider server whose pushes come to this double.
struct ProviderServerCommand<'a>(&'a ReadyFile);

impl Display for ProviderServerCommand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ready = self.0;
        writeln!(f, "apns-provider serve --apns {} --apns-ca '{}'", ready.sandbox.url, ready.ca.display())
    }
}

/// A device that finds this double.
struct DeviceCommand<'a>(&'a ReadyFile);

impl Display for DeviceCommand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ready_file = self.0.folder.join(Folder::READY_FILE);
        writeln!(f, "mock-apns device --ready-file '{}'", ready_file.display())
    }
}
