use crate::desk::{provider, run};

#[tokio::test]
async fn every_command_explains_itself() {
    for (arguments, words) in [
        ("--help", "Exit codes: 0 accepted"),
        ("send --help", "--device-token <HEX>"),
        ("validate --help", "contacts nothing"),
        ("token --help", "mint"),
        ("token inspect --help", "[JWT|-]"),
        ("doctor --help", "sends one push"),
        ("bulk --help", "--resume <FILE>"),
        ("channels --help", "list the channels before you try again"),
        ("bench --help", "load on them is abuse"),
    ] {
        let ran = run(provider(arguments)).await;
        assert_eq!(ran.code, Some(0), "{arguments}: {ran:?}");
        assert!(ran.stdout.contains(words), "{arguments}: no {words:?} in {}", ran.stdout);
    }
}
