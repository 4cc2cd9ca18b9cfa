use crate::desk::Desk;

const KEY: &str = "--key key.p8 --key-id MOCKKEY001 --team-id MOCKTEAM01";

#[tokio::test]
async fn a_token_is_minted_read_and_checked_without_a_network() {
    let desk = Desk::new().await;
    let minted = desk.run(&format!("token mint {KEY}")).await;
    assert_eq!(minted.code, Some(0), "{minted:?}");
    assert!(minted.stderr.contains("used until"), "{minted:?}");
    let jwt = minted.stdout.trim();
    let again = desk.run(&format!("token mint --json {KEY}")).await.json();
    let third = desk.run(&format!("token mint {KEY}")).await;
    let tokens = [jwt, again["token"].as_str().unwrap(), third.stdout.trim()];
    // One border of slots can lie between three, not two.
    assert!(tokens.windows(2).any(|pair| pair[0] == pair[1]), "one slot, one token: {tokens:#?}");

    let inspected = desk.run(&format!("token inspect {jwt}")).await;
    assert_eq!(inspected.code, Some(0), "{inspected:?}");
    for words in [
        r#""kid":"MOCKKEY001""#,
        r#""iss":"MOCKTEAM01""#,
        "issued at  20",
        "taken      until 20",
        "not checked",
    ] {
        assert!(inspected.stdout.contains(words), "no {words:?} in {inspected:?}");
    }
    assert!(!inspected.said().contains(jwt), "it is a secret");

    let checked = desk.run(&format!("token check {jwt} {KEY}")).await;
    assert_eq!((checked.code, checked.stdout.contains("is this key's")), (Some(0), true), "{checked:?}");
    let other = desk.run(&format!("token check {jwt} {}", KEY.replace("TEAM01", "TEAM02"))).await;
    assert_eq!((other.code, other.stdout.contains("iss is MOCKTEAM01")), (Some(1), true), "{other:?}");
}

#[tokio::test]
async fn a_wrong_token_comes_with_apns_answer() {
    let desk = Desk::new().await;
    desk.write("jwt", "bearer eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAwMDB9.AAAA\n");
    let mut command = desk.command("token inspect -");
    command.stdin(std::fs::File::open(desk.path("jwt")).unwrap());
    let ran = crate::desk::run(command).await;
    assert_eq!(ran.code, Some(1));
    for words in
        ["alg is \"HS256\"", "kid is missing", "milliseconds", "APNs answers ExpiredProviderToken", "3 bytes"]
    {
        assert!(ran.stdout.contains(words), "no {words:?} in {}", ran.stdout);
    }
    let json = desk.run("token inspect --json nonsense").await.json();
    assert_eq!(
        (&json["refused"], &json["flaws"][0]["answer"]),
        (&true.into(), &"InvalidProviderToken".into())
    );
}
