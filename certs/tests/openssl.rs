//! OpenSSL and Node judge what this crate writes: they are what most providers run on.
//!
//! `openssl` is required; Node's tests are skipped, saying so, where there is no `node`.

#![expect(clippy::unwrap_used, reason = "what a helper cannot do ends the test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use apns_certs::{
    AuthKey, Authority, Environment, Flaw, Identity, KeyId, Pkcs12Encryption, ProviderCertificateKind,
    ProviderCertificateRequest, Purpose, ServerFlaw, TeamId, Topic,
};
use rustls_pki_types::UnixTime;
use tempfile::TempDir;

#[test]
fn good_certificates_verify_for_their_purpose_and_no_other() {
    let pki = Pki::new();
    let server = pki.authority.server(&[], pki.now).unwrap();
    let provider = pki.authority.provider(&request(), pki.now).unwrap();
    let device = pki.authority.device(&apns_certs::DeviceId::new("iphone-1").unwrap(), pki.now).unwrap();

    for host in
        ["-verify_hostname=localhost", "-verify_hostname=api.sandbox.push.apple.com", "-verify_ip=::1"]
    {
        let (flag, value) = host.split_once('=').unwrap();
        pki.verify(&server, Purpose::Server, &["-x509_strict", "-purpose", "sslserver", flag, value])
            .unwrap();
    }
    pki.verify(&provider, Purpose::Provider, &["-x509_strict", "-purpose", "sslclient"]).unwrap();
    pki.verify(&device, Purpose::Device, &["-x509_strict", "-purpose", "sslclient"]).unwrap();

    let refused =
        |identity, purpose, arguments: &[&str]| pki.verify(identity, purpose, arguments).unwrap_err();
    assert!(
        refused(&server, Purpose::Server, &["-purpose", "sslclient"])
            .contains("unsuitable certificate purpose")
    );
    assert!(refused(&provider, Purpose::Provider, &["-purpose", "sslserver"]).contains("unsuitable"));
    assert!(refused(&provider, Purpose::Device, &[]).contains("unable to get local issuer certificate"));
    assert!(refused(&device, Purpose::Provider, &[]).contains("unable to get local issuer certificate"));
}

#[test]
fn each_flaw_of_a_provider_certificate_fails_in_its_own_words() {
    let pki = Pki::new();
    for (flaw, words) in [
        (Flaw::Expired, Some("certificate has expired")),
        (Flaw::NotYetValid, Some("certificate is not yet valid")),
        (Flaw::ForeignCa, Some("unable to get local issuer certificate")),
        (Flaw::Revoked, Some("certificate revoked")),
        // The rest is wrong to APNs alone: the handshake succeeds.
        (Flaw::WrongEnvironment(Environment::Development), None),
        (Flaw::WrongEnvironment(Environment::Production), None),
        (Flaw::NoTopics, None),
    ] {
        let identity = pki.authority.flawed_provider(&request(), flaw, pki.now).unwrap();
        let revoked = if flaw == Flaw::Revoked { vec![identity.serial_number()] } else { Vec::new() };
        let list = pki.authority.revocation_list(&revoked, pki.now).unwrap();
        let list = pki.file("revoked.crl.pem", list.to_pem());
        let verdict = pki.verify(&identity, Purpose::Provider, &["-crl_check", "-CRLfile", &list]);
        match words {
            None => verdict.unwrap(),
            Some(words) => assert!(verdict.as_ref().unwrap_err().contains(words), "{flaw:?}: {verdict:?}"),
        }
    }
}

#[test]
fn each_flaw_of_a_server_certificate_fails_in_its_own_words() {
    let pki = Pki::new();
    for (flaw, words) in [
        (ServerFlaw::WrongHost, "hostname mismatch"),
        (ServerFlaw::Expired, "certificate has expired"),
        (ServerFlaw::SelfSigned, "self-signed certificate"),
        (ServerFlaw::UnknownCa, "unable to get local issuer certificate"),
    ] {
        let identity = pki.authority.flawed_server(&[], flaw, pki.now).unwrap();
        let refused = pki.verify(&identity, Purpose::Server, &["-verify_hostname", "localhost"]).unwrap_err();
        assert!(refused.contains(words), "{flaw:?}: {refused}");
    }
}

#[test]
fn a_cross_signed_root_leads_to_the_old_one_and_the_new_one_alone_does_not() {
    let pki = Pki::new();
    let crossed = pki.authority.server_of_cross_signed_root(&[], pki.now).unwrap();
    pki.verify(&crossed, Purpose::Server, &["-x509_strict", "-verify_hostname", "localhost"]).unwrap();
    let alone = pki.authority.server_of_new_root(&[], pki.now).unwrap();
    let refused = pki.verify(&alone, Purpose::Server, &[]).unwrap_err();
    assert!(refused.contains("unable to get local issuer certificate"), "{refused}");
}

#[test]
fn openssl_reads_out_what_a_provider_certificate_says() {
    let pki = Pki::new();
    let identity = pki.authority.provider(&request(), pki.now).unwrap();
    let path = pki.file("provider.pem", identity.chain_pem());
    let text = openssl(&[
        "x509",
        "-in",
        &path,
        "-noout",
        "-text",
        "-serial",
        "-nameopt",
        "RFC2253,sep_comma_plus_space",
    ]);
    for words in [
        "Subject: C=US, O=mock-apns, OU=DEF123GHIJ, CN=Apple Push Services: com.example.app, UID=com.example.app",
        "CN=Mock Apple Worldwide Developer Relations Certification Authority",
        "ASN1 OID: prime256v1",
        "CA:FALSE",
        "TLS Web Client Authentication",
        "1.2.840.113635.100.6.3.1:",
        "1.2.840.113635.100.6.3.2:",
        "1.2.840.113635.100.6.3.6:",
        &format!("serial={}", identity.serial_number()),
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
}

#[test]
fn openssl_finds_the_topic_of_a_voip_certificate() {
    let pki = Pki::new();
    let request =
        ProviderCertificateRequest { kind: ProviderCertificateKind::Voip, topics: Vec::new(), ..request() };
    let identity = pki.authority.provider(&request, pki.now).unwrap();
    let path = pki.file("voip.pem", identity.chain_pem());
    let text = openssl(&["asn1parse", "-in", &path]);
    let (_, after) = text.split_once("1.2.840.113635.100.6.3.4").unwrap();
    // The octet string that holds the value, dumped: a UTF8String of 20 bytes.
    let dump = after.lines().nth(1).unwrap();
    assert!(dump.ends_with("[HEX DUMP]:0C14636F6D2E6578616D706C652E6170702E766F6970"), "{dump}");
}

#[test]
fn openssl_reads_a_revocation_list() {
    let pki = Pki::new();
    let identity = pki.authority.provider(&request(), pki.now).unwrap();
    let list = pki.authority.revocation_list(&[identity.serial_number()], pki.now).unwrap();
    let path = pki.file("revoked.crl", list.der());
    let text = openssl(&["crl", "-inform", "DER", "-in", &path, "-noout", "-text"]);
    assert!(text.contains(&format!("Serial Number: {}", identity.serial_number())), "{text}");
}

#[test]
fn openssl_reads_a_p8_key_and_this_crate_reads_openssls() {
    let pki = Pki::new();
    let key = AuthKey::generate(KeyId::new("ABC123DEFG").unwrap()).unwrap();
    let path = pki.file(&key.file_name(), key.to_p8());
    openssl(&["pkey", "-in", &path, "-noout"]);
    assert!(openssl(&["pkey", "-in", &path, "-noout", "-text"]).contains("ASN1 OID: prime256v1"));

    let theirs = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let read = AuthKey::from_p8(key.key_id, &theirs).unwrap();
    let path = pki.file("theirs.p8", theirs);
    let public = openssl(&["pkey", "-in", &path, "-noout", "-text"]).replace([' ', '\n'], "");
    let hex: Vec<String> = read.private_key.public_key().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(public.contains(&hex.join(":")), "{public}");
}

#[test]
fn openssl_opens_modern_pkcs12_at_once_and_legacy_only_when_told() {
    let pki = Pki::new();
    let identity = pki.authority.provider(&request(), pki.now).unwrap();
    let file = |name, encryption| pki.file(name, identity.to_pkcs12("secret", encryption).unwrap());
    let info = ["pkcs12", "-info", "-passin", "pass:secret", "-nodes", "-in"];

    let modern = file("modern.p12", Pkcs12Encryption::Modern);
    let text = openssl(&[&info[..], &[&modern]].concat());
    for words in ["friendlyName: Apple Push Services: com.example.app", "AES-256-CBC", "hmacWithSHA256"] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    assert_eq!(
        (text.matches("BEGIN CERTIFICATE").count(), text.matches("BEGIN PRIVATE KEY").count()),
        (2, 1)
    );

    let legacy = file("legacy.p12", Pkcs12Encryption::Legacy);
    let refused = run("openssl", &[&info[..], &[&legacy]].concat()).unwrap_err();
    assert!(refused.contains("unsupported"), "{refused}");
    let text = openssl(&[&info[..], &[&legacy, "-legacy"]].concat());
    assert!(text.contains("MAC: sha1,") && text.contains("pbeWithSHA1And40BitRC2-CBC"), "{text}");

    let wrong = ["pkcs12", "-info", "-passin", "pass:wrong", "-nodes", "-in", &modern];
    assert!(run("openssl", &wrong).unwrap_err().contains("invalid password"));
}

#[test]
fn node_takes_pkcs12_pem_and_p8() {
    if Command::new("node").arg("--version").output().is_err() {
        println!("skipped: there is no node here");
        return;
    }
    let pki = Pki::new();
    let identity = pki.authority.provider(&request(), pki.now).unwrap();
    let key = AuthKey::generate(KeyId::new("ABC123DEFG").unwrap()).unwrap();
    let modern = pki.file("modern.p12", identity.to_pkcs12("secret", Pkcs12Encryption::Modern).unwrap());
    let legacy = pki.file("legacy.p12", identity.to_pkcs12("secret", Pkcs12Encryption::Legacy).unwrap());
    let pem = pki.file("provider.pem", identity.to_pem());
    let p8 = pki.file(&key.file_name(), key.to_p8());
    let said = run("node", &["-e", NODE, &modern, &pem, &p8, &legacy]).unwrap();
    assert_eq!(said, "UID=com.example.app prime256v1 Unsupported PKCS12 PFX data");
}

/// What node-apn and its like do with credentials.
const NODE: &str = r"
const [modern, pem, p8, legacy] = process.argv.slice(1).map(path => require('fs').readFileSync(path));
const tls = require('tls'), crypto = require('crypto');
tls.createSecureContext({ pfx: modern, passphrase: 'secret' });
tls.createSecureContext({ cert: pem, key: pem });
const subject = new crypto.X509Certificate(pem).subject.split('\n').find(line => line.startsWith('UID='));
const curve = crypto.createPrivateKey(p8).asymmetricKeyDetails.namedCurve;
let refusal = 'accepted';
try { tls.createSecureContext({ pfx: legacy, passphrase: 'secret' }); } catch (error) { refusal = error.message; }
process.stdout.write([subject, curve, refusal].join(' '));
";

struct Pki {
    folder: TempDir,
    now: UnixTime,
    authority: Authority,
}

impl Pki {
    fn new() -> Self {
        // OpenSSL judges by the machine's clock.
        let now = UnixTime::now();
        Self { folder: TempDir::new().unwrap(), now, authority: Authority::generate(now).unwrap() }
    }

    /// Writes a file to the test's folder and says where it is.
    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        let path: &Path = &self.folder.path().join(name);
        fs::write(path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Has OpenSSL verify the identity against the root for `purpose`; an error is what it said.
    fn verify(&self, identity: &Identity, purpose: Purpose, arguments: &[&str]) -> Result<(), String> {
        let root = self.file("root.pem", self.authority.root_pem(purpose));
        let chain = self.file("chain.pem", identity.chain_pem());
        let fixed = ["verify", "-CAfile", &root, "-untrusted", &chain];
        run("openssl", &[&fixed, arguments, &[&chain]].concat()).map(drop)
    }
}

fn request() -> ProviderCertificateRequest {
    ProviderCertificateRequest::new(
        ProviderCertificateKind::Universal,
        Topic::new("com.example.app").unwrap(),
        TeamId::new("DEF123GHIJ").unwrap(),
    )
}

fn openssl(arguments: &[&str]) -> String {
    run("openssl", arguments).unwrap()
}

/// Both outputs of a program, as an error if it failed.
fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).output().expect("the program is installed");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(said) } else { Err(said) }
}
