use apple_apns::{Alert, Authentication, CertificateAuthority, ClientBuilder, Request};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (ca, key) = (std::fs::read({{ca}})?, std::fs::read({{key}})?);
    let builder = ClientBuilder {
        endpoint: {{devices_url}}.parse()?, // with the path, and its last slash
        ca: Some(CertificateAuthority::Pem(&ca)),
        authentication: Some(Authentication::Token { key_id: {{key_id}}, key_pem: &key, team_id: {{team_id}} }),
        ..ClientBuilder::default()
    };
    let hello: Request = Request {
        device_token: {{device_token}}.to_owned(),
        topic: Some({{topic}}.to_owned()),
        alert: Some(Alert { body: Some("Hello".to_owned()), ..Alert::default() }),
        ..Request::default()
    };
    println!("{}", builder.build()?.post(hello).await?); // the apns-id
    Ok(())
}
