use apns_provider_core::BundleId;
use apns_provider_server::store::{ApiKeyId, AuditId, NewApiKey, NewWebhook, Signal, WebhookId};
use apns_provider_server_core::{
    api_key::KeyHash,
    audit::{Action, Actor, AuditEntry},
    device::Environment,
    ids::{AppId, Label, TemplateName, TenantId, TenantName},
    worker::{Source, Stop},
};
use serde_json::{Value, json};

use crate::support::{NOW, TestStore, after, on_both};

on_both! { TestStore:
    another_tenants_app_is_not_there,
    an_app_is_paused_and_everybody_is_told,
    a_credential_is_replaced_and_everybody_is_told,
    an_apps_terms_are_its_tenants_settings_and_where_it_has_credentials,
    a_key_is_found_by_its_hash_and_revoked_once,
    templates_come_by_name,
    the_audit_log_has_the_latest_first,
    webhooks_are_their_tenants,
}

async fn another_tenants_app_is_not_there(store: TestStore) {
    let other = store.put_tenant(&TenantName::parse("other").unwrap(), "{}", NOW).await.unwrap().now;
    assert_eq!(store.app(other.id, &store.app.bundle_id).await.unwrap(), None);
    assert_eq!(store.app(store.tenant.id, &store.app.bundle_id).await.unwrap().as_ref(), Some(&store.app));
    let changed = store.put_app(store.tenant.id, &store.app.bundle_id, r#"{"a":1}"#, after(1)).await.unwrap();
    assert_eq!((changed.is_new, changed.now.id, changed.now.created_at), (false, store.app.id, NOW));
    let second = BundleId::parse("com.example.coffee").unwrap();
    let second = store.put_app(store.tenant.id, &second, "{}", NOW).await.unwrap();
    assert!(second.is_new);
    let apps = store.apps(store.tenant.id, store.app.id, 10).await.unwrap();
    assert_eq!(apps, [second.now]);
    assert_eq!(store.tenants(TenantId::new(0), 1).await.unwrap().first(), Some(&store.tenant));
    assert_eq!(store.tenant(&other.name).await.unwrap(), Some(other));
}

async fn an_app_is_paused_and_everybody_is_told(store: TestStore) {
    let mut signals = store.signals();
    assert!(store.pause_app(store.app.id, true).await.unwrap());
    assert!(store.app_by_id(store.app.id).await.unwrap().unwrap().is_paused);
    let stop = Signal::Stop(Stop::PauseApp(store.app.id));
    while signals.next().await != Some(stop) {}
    assert!(!store.pause_app(AppId::new(999), true).await.unwrap());
}

async fn a_credential_is_replaced_and_everybody_is_told(store: TestStore) {
    let source = store.source();
    assert_eq!(store.credential(source).await.unwrap(), None);
    let other_process = store.another().await;
    let mut signals = store.signals();
    other_process.put_credential(source, vec![1, 2], "{}", NOW).await.unwrap();
    other_process.put_credential(source, vec![0, 255], r#"{"key-id":"K"}"#, after(1)).await.unwrap();
    let credential = store.credential(source).await.unwrap().unwrap();
    assert_eq!((credential.secret.as_slice(), credential.updated_at), ([0, 255].as_slice(), after(1)));
    assert!(!format!("{credential:?}").contains("255"), "a secret is not shown");
    if matches!(store.settings.place, apns_provider_server::store::Place::Postgres { .. }) {
        while signals.next().await != Some(Signal::Credential(source)) {}
    }
    let all = store.credentials(source.app).await.unwrap();
    assert_eq!(
        all.into_iter().map(|(environment, _)| environment).collect::<Vec<_>>(),
        [Environment::Production]
    );
    let sandbox = Source { environment: Environment::Sandbox, ..source };
    assert!(!store.remove_credential(sandbox).await.unwrap());
    assert!(store.remove_credential(source).await.unwrap());
}

async fn an_apps_terms_are_its_tenants_settings_and_where_it_has_credentials(store: TestStore) {
    store.put_tenant(&store.tenant.name, r#"{"queue-max":7}"#, after(1)).await.unwrap();
    let terms = store.terms(store.app.id).await.unwrap();
    assert_eq!((terms.tenant_settings.as_str(), terms.credentials), (r#"{"queue-max":7}"#, vec![]));
    for environment in Environment::ALL {
        store.put_credential(Source { environment, ..store.source() }, vec![1], "{}", NOW).await.unwrap();
    }
    let mut credentials = store.terms(store.app.id).await.unwrap().credentials;
    credentials.sort();
    assert_eq!(credentials, Environment::ALL);
    let unknown = store.terms(AppId::new(999)).await.unwrap();
    assert_eq!((unknown.tenant_settings.as_str(), unknown.credentials), ("{}", vec![]));
}

async fn a_key_is_found_by_its_hash_and_revoked_once(store: TestStore) {
    let new = NewApiKey {
        tenant: Some(store.tenant.id),
        label: Label::parse("the shop").unwrap(),
        roles: "send".into(),
        hash: KeyHash::from_bytes([7; 32]),
    };
    let key = store.add_api_key(new.clone(), NOW).await.unwrap();
    let operators = store
        .add_api_key(NewApiKey { tenant: None, hash: KeyHash::from_bytes([8; 32]), ..new }, NOW)
        .await
        .unwrap();
    assert_eq!(
        store.api_key(&KeyHash::from_bytes([7; 32])).await.unwrap().map(|(key, _)| key).as_ref(),
        Some(&key)
    );
    assert_eq!(store.api_key(&KeyHash::from_bytes([9; 32])).await.unwrap(), None);
    assert_eq!(store.api_keys(None, ApiKeyId::new(0), 10).await.unwrap(), [operators]);
    assert!(!store.revoke_api_key(None, key.id, NOW).await.unwrap(), "it is not the operator's");
    assert!(store.revoke_api_key(key.tenant, key.id, after(5)).await.unwrap());
    assert!(!store.revoke_api_key(key.tenant, key.id, after(6)).await.unwrap());
    assert_eq!(
        store.api_key(&KeyHash::from_bytes([7; 32])).await.unwrap().unwrap().0.revoked_at,
        Some(after(5))
    );
}

async fn templates_come_by_name(store: TestStore) {
    let name = |text: &str| TemplateName::parse(text).unwrap();
    assert!(store.put_template(store.app.id, &name("b"), "{}", NOW).await.unwrap());
    assert!(store.put_template(store.app.id, &name("a"), "{}", NOW).await.unwrap());
    assert!(!store.put_template(store.app.id, &name("b"), r#"{"x":1}"#, after(1)).await.unwrap());
    let all = store.templates(store.app.id, None, 10).await.unwrap();
    assert_eq!(all.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((all[1].body.as_str(), all[1].updated_at), (r#"{"x":1}"#, after(1)));
    assert_eq!(store.templates(store.app.id, Some(&name("a")), 10).await.unwrap().len(), 1);
    assert!(store.remove_template(store.app.id, &name("a")).await.unwrap());
    assert_eq!(store.template(store.app.id, &name("a")).await.unwrap(), None);
}

async fn the_audit_log_has_the_latest_first(store: TestStore) {
    for at in 0..3 {
        let actor = Actor::Key { id: "7".into(), label: "ada".into() };
        let detail = json!({ "at": at });
        let entry = AuditEntry::new(after(at), actor, Action::AppPaused, "com.example.tea", detail);
        store.append_audit((at != 1).then_some(store.tenant.id), entry).await.unwrap();
    }
    let first = store.audit(Some(store.tenant.id), None, 1).await.unwrap();
    let it = &first[0];
    assert_eq!((it.at, it.action.as_str(), it.subject.as_str()), (after(2), "app.paused", "com.example.tea"));
    let actor: Value = serde_json::from_str(&it.actor).unwrap();
    assert_eq!(
        (actor, it.detail.as_str()),
        (json!({ "who": "key", "id": "7", "label": "ada" }), r#"{"at":2}"#)
    );
    let rest = store.audit(Some(store.tenant.id), Some(first[0].id), 10).await.unwrap();
    assert_eq!(rest.iter().map(|it| it.at).collect::<Vec<_>>(), [after(0)]);
    let operators = store.audit(None, Some(AuditId::new(i64::MAX)), 10).await.unwrap();
    assert_eq!((operators.len(), operators[0].tenant), (1, None));
}

async fn webhooks_are_their_tenants(store: TestStore) {
    let other = store.put_tenant(&TenantName::parse("other").unwrap(), "{}", NOW).await.unwrap().now;
    let new = NewWebhook {
        tenant: store.tenant.id,
        app: Some(store.app.id),
        label: Label::parse("shop").unwrap(),
        url: "https://shop.example/apns".into(),
        secret: vec![1],
        events: r#"["devices.removed"]"#.into(),
        is_enabled: true,
    };
    let webhook = store.add_webhook(new.clone(), NOW).await.unwrap();
    assert_eq!(store.webhooks(store.tenant.id, WebhookId::new(0), 10).await.unwrap().first(), Some(&webhook));
    assert_eq!(store.webhook(other.id, webhook.id).await.unwrap(), None);
    let changed = NewWebhook { is_enabled: false, app: None, ..new };
    assert!(
        !store.change_webhook(webhook.id, NewWebhook { tenant: other.id, ..changed.clone() }).await.unwrap()
    );
    assert!(store.change_webhook(webhook.id, changed.clone()).await.unwrap());
    assert_eq!(store.webhook(store.tenant.id, webhook.id).await.unwrap().unwrap().webhook, changed);
    assert!(!store.remove_webhook(other.id, webhook.id).await.unwrap());
    assert!(store.remove_webhook(store.tenant.id, webhook.id).await.unwrap());
}
