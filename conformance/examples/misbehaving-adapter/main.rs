//! An adapter that misbehaves on purpose, in one way at a time: for the test that the provider suite has teeth.
//!
//! `misbehaving-adapter HABIT COMMAND…` puts itself between the suite and an honest adapter, which it starts with the command, and
//! between that adapter's provider and the double.

mod frames;
mod habits;
mod middle;
mod signing;

use std::{collections::HashMap, process::Stdio};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines, Stdin, Stdout},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use habits::{Deed, HABITS};
use middle::{Double, Middle};
use signing::Signer;

type Trouble = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Trouble> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("which habit?")?;
    let habit = HABITS.iter().find(|habit| habit.name == name).ok_or("no habit has this name")?;
    let mut honest = Command::new(arguments.next().ok_or("which adapter?")?)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    Between::new(habit.deed, &mut honest)?.run().await?;
    honest.wait().await?;
    Ok(())
}

/// Between the suite and the honest adapter.
struct Between {
    deed: Deed,
    orders: Lines<BufReader<Stdin>>,
    events: Lines<BufReader<ChildStdout>>,
    honest: ChildStdin,
    suite: Stdout,
    /// What was sent, for who sends again; and how often that was.
    sent: HashMap<String, (Value, u32)>,
}

impl Between {
    fn new(deed: Deed, honest: &mut Child) -> Result<Self, Trouble> {
        let events = honest.stdout.take().ok_or("no pipe")?;
        Ok(Self {
            deed,
            orders: BufReader::new(tokio::io::stdin()).lines(),
            events: BufReader::new(events).lines(),
            honest: honest.stdin.take().ok_or("no pipe")?,
            suite: tokio::io::stdout(),
            sent: HashMap::new(),
        })
    }

    /// Until the honest adapter says no more.
    async fn run(mut self) -> Result<(), Trouble> {
        loop {
            tokio::select! {
                order = self.orders.next_line() => match order? {
                    Some(order) => self.order(serde_json::from_str(&order)?).await?,
                    None => return Ok(()),
                },
                event = self.events.next_line() => match event? {
                    Some(event) => self.event(serde_json::from_str(&event)?).await?,
                    None => return Ok(()),
                },
            }
        }
    }

    async fn order(&mut self, mut order: Value) -> Result<(), Trouble> {
        match order["do"].as_str() {
            Some("configure") => self.put_between(&mut order).await?,
            Some("send") => {
                if let Deed::IsTold(habit) = self.deed {
                    habit(&mut order);
                }
                let id = order["id"].as_str().unwrap_or_default().to_owned();
                self.sent.insert(id, (order.clone(), 0));
            }
            _ => {}
        }
        self.tell_honest(&order).await
    }

    /// Has the honest adapter go to the double by a way that the habit lies on. Who does no more than report needs none.
    async fn put_between(&self, configure: &mut Value) -> Result<(), Trouble> {
        if matches!(self.deed, Deed::None | Deed::IsTold(_) | Deed::Reports(_) | Deed::SendsAgain(..)) {
            return Ok(());
        }
        let text = |name: &str| configure[name].as_str().map(ToOwned::to_owned).ok_or("it is not said");
        let double = Double {
            host: text("host")?,
            port: configure["port"].as_u64().and_then(|port| port.try_into().ok()).ok_or("no port")?,
            ca_pem: text("ca-pem")?,
            signer: Signer::of(&configure["credential"]),
        };
        let middle = Middle::start(double, self.deed).await?;
        configure["host"] = "localhost".into();
        configure["port"] = middle.address.port().into();
        configure["ca-pem"] = middle.ca_pem.into();
        Ok(())
    }

    async fn event(&mut self, mut event: Value) -> Result<(), Trouble> {
        if event["event"] == "result" {
            if let Deed::SendsAgain(habit, times) = self.deed
                && habit(&event)
                && let Some((order, again)) =
                    event["id"].as_str().and_then(|id| self.sent.get_mut(id)).filter(|sent| sent.1 < times)
            {
                *again += 1;
                let order = order.clone();
                return self.tell_honest(&order).await;
            }
            if let Deed::Reports(habit) = self.deed
                && !habit(&mut event)
            {
                return Ok(());
            }
        }
        self.suite.write_all(format!("{event}\n").as_bytes()).await?;
        Ok(self.suite.flush().await?)
    }

    async fn tell_honest(&mut self, order: &Value) -> Result<(), Trouble> {
        self.honest.write_all(format!("{order}\n").as_bytes()).await?;
        Ok(self.honest.flush().await?)
    }
}
