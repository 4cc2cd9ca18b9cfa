//! `admin credentials put` takes files: nobody should have to write a key into JSON.

use std::path::PathBuf;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use clap::{Arg, ArgGroup, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::{command::DATA, operation::Operation};
use crate::options::{input, key_id_of_name};

const P8: &str = "p8";
const KEY_ID: &str = "key-id";
const TEAM_ID: &str = "team-id";
const CERTIFICATE: &str = "certificate";
const PASSWORD: &str = "certificate-password";

/// Whether this is the operation.
pub(super) fn is_it(operation: &Operation) -> bool {
    (operation.group.as_str(), operation.name.as_str()) == ("credentials", "put")
}

/// With options for files, one of which makes the body. They have the names that `send` has for the same, but for its `--key`: that is the API
/// key here.
pub(super) fn with_files(command: Command) -> Command {
    let file = |name: &'static str| {
        Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf))
    };
    let id =
        |name: &'static str, variable: &'static str| Arg::new(name).long(name).value_name("ID").env(variable);
    command
        .mut_arg(DATA, |data| data.required(false))
        .arg(file(P8).help("The key for provider tokens: AuthKey_<ID>.p8"))
        .arg(
            id(KEY_ID, "APNS_PROVIDER_KEY_ID")
                .help("The key's ID, ten characters; that of the file's name if not given"),
        )
        .arg(id(TEAM_ID, "APNS_PROVIDER_TEAM_ID").help("The team's ID, ten characters"))
        .arg(file(CERTIFICATE).help("A certificate with its private key: PEM, or PKCS#12"))
        .arg(
            Arg::new(PASSWORD)
                .long(PASSWORD)
                .value_name("TEXT")
                .env("APNS_PROVIDER_PASSWORD")
                .hide_env_values(true)
                .default_value("")
                .help(
                    "The password of the PKCS#12 file; better by the variable than here, where others see it",
                ),
        )
        .group(ArgGroup::new("credential").args([DATA, P8, CERTIFICATE]).required(true))
}

/// The body that the files make, if one was given.
pub(super) fn body(matches: &ArgMatches) -> Result<Option<Vec<u8>>, String> {
    let file = |name| matches.try_get_one::<PathBuf>(name).ok().flatten();
    let text = |name| matches.try_get_one::<String>(name).ok().flatten().map(String::as_str);
    let credential = if let Some(path) = file(P8) {
        let key = utf8(&input::read(path, "--p8")?, "--p8", path)?;
        let of_name = || key_id_of_name(path);
        let key_id = text(KEY_ID).map(ToOwned::to_owned).or_else(of_name).ok_or("--p8 needs --key-id")?;
        let team_id = text(TEAM_ID).ok_or("--p8 needs --team-id")?;
        json!({ "p8": { "key": key, "key-id": key_id, "team-id": team_id } })
    } else if let Some(path) = file(CERTIFICATE) {
        certificate(&input::read(path, "--certificate")?, text(PASSWORD).unwrap_or_default())
    } else {
        return Ok(None);
    };
    Ok(Some(credential.to_string().into_bytes()))
}

fn certificate(bytes: &[u8], password: &str) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains("-----BEGIN ") => json!({ "pem": text }),
        _ => json!({ "p12": { "file": BASE64_STANDARD.encode(bytes), "password": password } }),
    }
}

fn utf8(bytes: &[u8], option: &str, path: &std::path::Path) -> Result<String, String> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| format!("{option} {}: it is no text", path.display()))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::admin::{command::chosen, tests::matches};

    fn put(arguments: &[&str]) -> Result<Value, String> {
        let all = [&["credentials", "put", "com.example.app", "sandbox"], arguments].concat();
        let matches = matches(&all).map_err(|error| error.to_string())?;
        let (_, _, matches) = chosen(&matches).unwrap();
        let body = body(matches)?.expect("a file was given");
        Ok(serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn a_key_file_is_enough_with_the_teams_id() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("AuthKey_MOCKKEY001.p8");
        fs::write(&path, "the key\n").unwrap();
        let path = path.to_str().unwrap();
        let expected =
            json!({ "p8": { "key": "the key\n", "key-id": "MOCKKEY001", "team-id": "MOCKTEAM01" } });
        assert_eq!(put(&["--p8", path, "--team-id", "MOCKTEAM01"]).unwrap(), expected);
        let other = put(&["--p8", path, "--team-id", "MOCKTEAM01", "--key-id", "OTHERKEY01"]).unwrap();
        assert_eq!(other["p8"]["key-id"], "OTHERKEY01");
        assert_eq!(put(&["--p8", path]).unwrap_err(), "--p8 needs --team-id");
        let gone = put(&["--p8", "gone.p8", "--team-id", "MOCKTEAM01"]).unwrap_err();
        assert!(gone.starts_with("--p8 gone.p8: "), "{gone}");
    }

    #[test]
    fn a_certificate_is_pem_or_else_pkcs12() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("push");
        let certificate = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            put(&["--certificate", path.to_str().unwrap(), "--certificate-password", "secret"]).unwrap()
        };
        let pem = "-----BEGIN CERTIFICATE-----\n";
        assert_eq!(certificate(pem.as_bytes()), json!({ "pem": pem }));
        assert_eq!(certificate(&[0xff, 0]), json!({ "p12": { "file": "/wA=", "password": "secret" } }));
    }

    #[test]
    fn one_of_the_files_or_the_body_has_to_be_there_and_not_two() {
        let nothing = put(&[]).unwrap_err();
        assert!(nothing.contains("--p8 <FILE>") && nothing.contains("--data <JSON>"), "{nothing}");
        assert!(put(&["--data", "{}", "--p8", "x"]).unwrap_err().contains("cannot be used with"));
    }
}
