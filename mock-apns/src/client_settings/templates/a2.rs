// a2 itself has the CAs of the web compiled in, and no way to add one. Its living fork has not; in Cargo.toml:
//   a2 = { package = "apns-h2", version = "0.11" }
// It connects to api.sandbox.push.apple.com:443, which has to lead to the double (docs/clients.md says how), and on Linux
// trusts what the environment says:
// SSL_CERT_FILE={{ca:shell}} cargo run
use a2::{
    Client, ClientConfig, DefaultNotificationBuilder, Endpoint, NotificationBuilder as _, NotificationOptions,
    PushType,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut key = std::fs::File::open({{key}})?;
    let config = ClientConfig::new(Endpoint::Sandbox);
    let client = Client::token(&mut key, {{key_id}}, {{team_id}}, config)?;
    let options = NotificationOptions {
        apns_topic: Some({{topic}}),
        apns_push_type: Some(PushType::Alert),
        ..NotificationOptions::default()
    };
    let device_token = {{device_token}};
    let hello = DefaultNotificationBuilder::new().body("Hello").build(device_token, options);
    println!("{:?}", client.send(hello).await?);
    Ok(())
}
