use apns_provider_server::store::{Place, Store, StoreError, StoreSettings};
use apns_provider_server_core::lanes::Lane;
use sqlx::Connection as _;

use crate::{
    databases::Database,
    support::{ME, NOW, TestStore, on_both, to_tokens},
};

on_both! { TestStore:
    what_was_taken_is_there_after_a_restart,
    an_older_program_refuses_a_newer_database,
    a_database_of_the_version_before_is_updated_with_what_is_in_it,
    two_processes_that_start_at_once_make_one_database,
    a_closed_store_says_so,
}

async fn what_was_taken_is_there_after_a_restart(mut store: TestStore) {
    let id = store.take(&to_tokens(1, &[1, 2], Lane::Normal)).await;
    store.reopen().await;
    store.check().await.unwrap();
    let shard = store.claim_one(ME, Lane::Normal, NOW).await;
    assert_eq!((shard.key.notification, shard.recipients.len()), (id, 2));
}

async fn an_older_program_refuses_a_newer_database(store: TestStore) {
    store.close().await;
    change(&store, "UPDATE schema_version SET version = version + 1").await;
    let error = Store::open(&store.settings).await.unwrap_err();
    assert_eq!(error, StoreError::NewerSchema { found: 3, known: 2 });
    assert!(error.to_string().contains("run the newer program"), "{error}");
}

async fn a_database_of_the_version_before_is_updated_with_what_is_in_it(mut store: TestStore) {
    let id = store.take(&to_tokens(1, &[1], Lane::Normal)).await;
    store.close().await;
    change(&store, "DROP TABLE allowance; UPDATE schema_version SET version = 1").await;
    store.reopen().await;
    let settings = r#"{"pushes-per-device":{"count":1,"within-secs":60}}"#;
    store.put_app(store.tenant.id, &store.app.bundle_id, settings, NOW).await.unwrap();
    let shard = store.claim_one(ME, Lane::Normal, NOW).await;
    assert_eq!((shard.key.notification, shard.waits), (id, vec![]));
}

/// What somebody does to the database behind the program's back.
async fn change(store: &TestStore, statements: &'static str) {
    match &store.settings.place {
        Place::Sqlite { path } => {
            let url = format!("sqlite://{}", path.display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
        Place::Postgres { url } => {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
        }
    }
}

async fn two_processes_that_start_at_once_make_one_database(store: TestStore) {
    // A database of its own, since this one is made already.
    let settings = match &store.settings.place {
        Place::Sqlite { path } => StoreSettings::new(path.with_extension("new").to_str().unwrap()).unwrap(),
        Place::Postgres { url } => {
            let schema = url.rsplit_once("%3D").unwrap().1;
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}_new"));
            sqlx::raw_sql(create).execute(&mut connection).await.unwrap();
            StoreSettings::new(&format!("{url}_new")).unwrap()
        }
    };
    let opened = futures::future::join_all((0..4).map(|_| Store::open(&settings))).await;
    for store in opened {
        store.unwrap().check().await.unwrap();
    }
}

async fn a_closed_store_says_so(store: TestStore) {
    store.close().await;
    let refused = store.submit(store.submission(vec![to_tokens(1, &[1], Lane::Normal)])).await;
    assert_eq!(refused, Err(StoreError::Closed));
    assert!(store.check().await.is_err());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("apns.db");
    std::fs::write(&path, "this is a shopping list and no database at all, however long it is\n".repeat(100))
        .unwrap();
    let error = Store::open(&StoreSettings::new(path.to_str().unwrap()).unwrap()).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
    let nowhere = folder.path().join("missing/apns.db");
    let error = Store::open(&StoreSettings::new(nowhere.to_str().unwrap()).unwrap()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_busy_and_nothing_is_lost() {
    let store = TestStore::on(Database::sqlite()).await;
    let Place::Sqlite { path } = &store.settings.place else { panic!() };
    let url = format!("sqlite://{}", path.display());
    let mut holder = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut holder).await.unwrap();
    let refused = store.submit(store.submission(vec![to_tokens(1, &[1], Lane::Normal)])).await.unwrap_err();
    assert!(matches!(refused, StoreError::Behind(_)) && refused.is_passing(), "{refused:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    store.take(&to_tokens(1, &[1], Lane::Normal)).await;
    assert_eq!(store.claim(ME, Lane::Normal, NOW).await.shards.len(), 1);
}
