use super::*;

fn read(arguments: &[&str]) -> Result<Config, ConfigError> {
    let arguments = ["apns-provider serve"].iter().chain(arguments).map(OsString::from);
    Config::read(arguments, &[])
}

fn refused(arguments: &[&str]) -> String {
    read(arguments).unwrap_err().to_string()
}

#[test]
fn no_argument_is_enough() {
    let config = read(&[]).unwrap();
    assert!(config.listen.ip().is_loopback());
    let Place::Sqlite { path } = config.store.place else { panic!() };
    assert_eq!(path, Path::new("data/apns-provider.db"));
    assert_eq!(config.secret_key_file, Path::new("data/secret.key"));
    assert_eq!(config.apns, None);
    assert_eq!(config.webhook_policy, Policy::public_only());
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    fs::write(&file, "queue-per-app = 7\nlisten = \"127.0.0.1:1\"\nlog-json = true\n").unwrap();
    let file = file.to_str().unwrap();
    let config = read(&["--config", file, "--listen", "127.0.0.1:2"]).unwrap();
    assert_eq!((config.listen.port(), config.bounds.app, config.log_json), (2, 7, true));
    assert_eq!(config.bounds.tenant, QUEUED_OF_TENANT_MAX);
}

#[test]
fn a_wrong_setting_is_told_by_its_name_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    let file = file.to_str().unwrap();
    for (text, told) in [
        ("queue-per-app = 0", "queue-per-app: 0 is not 1 to"),
        ("queue-per-app = \"many\"", "queue-per-app"),
        ("colour = 1", "colour"),
        ("listen = \"nowhere\"", "listen"),
        ("database = \"mysql://localhost/x\"", "database: "),
        ("durability = \"none\"", "durability: "),
        ("pushes-per-second = 0", "pushes-per-second: "),
        ("= 1", "server.toml"),
    ] {
        fs::write(file, text).unwrap();
        let error = refused(&["--config", file]);
        assert!(error.contains(told), "{text}: {error}");
    }
    for (arguments, told) in [
        (&["--config", "/nowhere.toml"][..], "config: /nowhere.toml"),
        (&["--listen", "nowhere"], "--listen"),
        (&["--drain-seconds", "3601"], "drain-seconds: 3601 is not 0 to 3600"),
        (&["--apns", "https://"], "apns: "),
        (&["--apns-ca", "ca.pem"], "apns-ca: it is who signs the certificate of --apns"),
        (&["--apns-channels", "https://localhost:2195"], "apns-channels: it goes with --apns"),
        (&["--apns", "https://localhost:2197", "--apns-channels", "no where"], "apns-channels: "),
        (&["--apns", "https://localhost:2197", "--apns-ca", "/nowhere.pem"], "apns-ca: /nowhere.pem"),
        (&["--apns", "https://localhost:2197", "--apns-ca", file], "apns-ca: "),
        (&["--in-engine", "100001"], "in-engine: "),
    ] {
        let error = refused(arguments);
        assert!(error.contains(told), "{arguments:?}: {error}");
    }
}

#[test]
fn a_misspelt_variable_stops_the_start() {
    let error = Config::read(["serve".into()], &["APNS_SERVER_LISTN".into()]).unwrap_err();
    assert!(error.to_string().starts_with("APNS_SERVER_LISTN: "), "{error}");
    assert!(Config::read(["serve".into()], &["APNS_SERVER_LOG".into(), "PATH".into()]).is_ok());
}

#[test]
fn a_setting_has_one_name_everywhere() {
    use clap::CommandFactory as _;
    let command = Options::command();
    command.clone().debug_assert();
    for argument in command.get_arguments().filter(|argument| argument.get_env().is_some()) {
        let variable = format!(
            "{}{}",
            options::PREFIX,
            argument.get_long().unwrap().replace('-', "_").to_ascii_uppercase()
        );
        assert_eq!(argument.get_env().unwrap().to_str(), Some(&*variable));
    }
}

#[test]
fn a_double_is_meant_by_its_url() {
    let config = read(&["--apns", "https://localhost:2197/"]).unwrap();
    assert_eq!(config.apns.unwrap().endpoint.authority(), "localhost:2197");
}
