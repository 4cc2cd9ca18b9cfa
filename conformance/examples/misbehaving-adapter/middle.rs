//! Between the honest provider and the double: TLS on both sides, and every frame through the habit.

use std::{net::SocketAddr, sync::Arc};

use apns_certs::{Authority, Purpose};
use apns_http2::hpack::{Decoder, Encoder, Field};
use apns_wire::{Received, TlsSocket, WireError};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio::net::{TcpListener, TcpStream};

use crate::{
    Trouble,
    frames::{CONTINUATION, END_HEADERS, Frame, HEADERS, take_frame},
    habits::{Deed, ends_answer},
    signing::Signer,
};

/// What stands between.
pub(crate) struct Middle {
    /// Where the provider is to connect to.
    pub(crate) address: SocketAddr,
    /// Whom it is to trust.
    pub(crate) ca_pem: String,
}

/// Where the double is, whom to trust there, and who signs if somebody has to.
pub(crate) struct Double {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) ca_pem: String,
    pub(crate) signer: Option<Signer>,
}

impl Middle {
    /// Begins to listen.
    pub(crate) async fn start(double: Double, deed: Deed) -> Result<Self, Trouble> {
        let now = UnixTime::now();
        let authority = Authority::generate(now)?;
        let identity = authority.server(&[], now)?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions()?.with_no_client_auth();
        let mut server =
            config.with_single_cert(identity.chain().to_vec(), identity.private_key().to_der())?;
        server.alpn_protocols = vec![b"h2".to_vec()];
        let client = Arc::new(client(&double, deed)?);
        let (server, double) = (Arc::new(server), Arc::new(double));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (server, client, double) =
                    (Arc::clone(&server), Arc::clone(&client), Arc::clone(&double));
                tokio::spawn(async move {
                    // How it ends is seen on both sides.
                    let _ = carry(tcp, server, client, &double, deed).await;
                });
            }
        });
        Ok(Self { address, ca_pem: authority.root_pem(Purpose::Server) })
    }
}

fn client(double: &Double, deed: Deed) -> Result<ClientConfig, Trouble> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(double.ca_pem.as_bytes())?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions()?;
    let mut config = if matches!(deed, Deed::TrustsAnyone) {
        config.dangerous().with_custom_certificate_verifier(Arc::new(Anyone)).with_no_client_auth()
    } else {
        config.with_root_certificates(roots).with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

async fn carry(
    tcp: TcpStream,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    double: &Double,
    deed: Deed,
) -> Result<(), Trouble> {
    let mut provider = TlsSocket::accept(tcp, |_| server).await?;
    let name = ServerName::try_from(double.host.clone())?;
    let tcp = TcpStream::connect((double.host.as_str(), double.port)).await?;
    let mut behind = TlsSocket::connect(tcp, client, name).await?;
    if let Deed::HearsFirst(said) = deed {
        provider.write(&said())?;
        provider.flush()?;
    }
    let mut between = Between::new(deed);
    loop {
        tokio::select! {
            ready = provider.ready() => ready?,
            ready = behind.ready() => ready?,
        }
        let (mut asked, mut answered) = (Vec::new(), Vec::new());
        let from_provider = provider.read(|bytes| asked.extend_from_slice(bytes));
        behind.write(&between.asked(&asked, double)?)?;
        behind.flush()?;
        let from_double = behind.read(|bytes| answered.extend_from_slice(bytes));
        provider.write(&between.answered(&answered))?;
        provider.flush()?;
        if between.is_over || !is_open(&from_double) {
            behind.close().await?;
            return Ok(provider.close().await?);
        }
        if !is_open(&from_provider) {
            return Ok(behind.close().await?);
        }
    }
}

fn is_open(read: &Result<Received, WireError>) -> bool {
    matches!(read, Ok(Received::Open))
}

/// What is known of a connection.
struct Between {
    deed: Deed,
    asked: Vec<u8>,
    answered: Vec<u8>,
    is_greeted: bool,
    encoder: Encoder,
    decoder: Decoder,
    /// How many frames of each type the double has sent.
    heard: [usize; 256],
    is_over: bool,
}

impl Between {
    fn new(deed: Deed) -> Self {
        Self {
            deed,
            asked: Vec::new(),
            answered: Vec::new(),
            is_greeted: false,
            encoder: Encoder::new(),
            decoder: Decoder::new(4096),
            heard: [0; 256],
            is_over: false,
        }
    }

    /// What the double gets in place of what the provider said.
    fn asked(&mut self, bytes: &[u8], double: &Double) -> Result<Vec<u8>, Trouble> {
        self.asked.extend(bytes);
        let mut out = Vec::new();
        if !self.is_greeted {
            if self.asked.len() < PREFACE_BYTES {
                return Ok(out);
            }
            out.extend(self.asked.drain(..PREFACE_BYTES));
            self.is_greeted = true;
        }
        while let Some(mut frame) = take_frame(&mut self.asked) {
            if frame.is(CONTINUATION) {
                return Err("the provider's fields are in several frames".into());
            }
            if frame.is(HEADERS) {
                self.request(&mut frame, double)?;
            } else if let Deed::Says(habit) = self.deed
                && !habit(&mut frame)
            {
                continue;
            }
            frame.write(&mut out);
        }
        Ok(out)
    }

    /// Writes the fields of a request anew.
    fn request(&mut self, frame: &mut Frame, double: &Double) -> Result<(), Trouble> {
        let mut fields: Vec<(String, String)> = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.decoder.decode(&frame.payload, |name, value| fields.push((text(name), text(value))))?;
        if let Deed::Asks(habit) = self.deed {
            habit(&mut fields);
        }
        if let (Deed::SignsEach, Some(signer)) = (self.deed, &double.signer)
            && let Some(field) = fields.iter_mut().find(|field| field.0 == "authorization")
        {
            field.1 = format!("bearer {}", signer.provider_token()?);
        }
        let mut block = Vec::new();
        self.encoder.begin_block(&mut block);
        for (name, value) in &fields {
            let (name_bytes, value) = (name.as_bytes(), value.as_bytes());
            let is_indexed = match self.deed {
                Deed::Indexes(habit) => habit(name),
                _ => !OF_ONE_PUSH.contains(&name.as_str()),
            };
            let field = if is_indexed {
                Field::incremental(name_bytes, value)
            } else {
                Field::never(name_bytes, value)
            };
            self.encoder.field(field, &mut block);
        }
        frame.flags = (frame.flags & 1) | END_HEADERS;
        frame.payload = block;
        Ok(())
    }

    /// What the provider gets in place of what the double said.
    fn answered(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.answered.extend(bytes);
        let mut out = Vec::new();
        while let Some(mut frame) = take_frame(&mut self.answered) {
            let count = &mut self.heard[usize::from(frame.kind)];
            *count += 1;
            if let Deed::Hears(habit) = self.deed
                && !habit(&mut frame, *count)
            {
                continue;
            }
            self.is_over |= matches!(self.deed, Deed::EndsAfterEach) && ends_answer(&frame);
            frame.write(&mut out);
        }
        out
    }
}

/// Believes everyone.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

const PREFACE_BYTES: usize = 24;
/// Fields whose values are not to be indexed.
const OF_ONE_PUSH: [&str; 6] =
    [":path", "authorization", "apns-id", "apns-expiration", "apns-collapse-id", "content-length"];
