//! docs/clients.md says what the table says.

use mock_apns::client_settings::Client;

#[test]
fn every_client_is_documented_with_a_link_to_its_program() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let document = std::fs::read_to_string(root.join("clients.md")).expect("the document is there");
    let rows: Vec<String> = Client::ALL.iter().map(Client::row).collect();
    let missing: Vec<&String> = rows.iter().filter(|row| !document.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "docs/clients.md lacks these rows, or has older ones:\n{missing:#?}");
    assert_eq!(document.matches("| [`").count(), rows.len(), "docs/clients.md lists a client that is gone");
    for link in document.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
        let is_outside = link.contains("://");
        assert!(
            link.is_empty() || is_outside || root.join(link).exists(),
            "docs/clients.md: {link} is not there"
        );
    }
}
