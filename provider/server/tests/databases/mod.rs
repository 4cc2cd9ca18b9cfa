//! A database for each test: a file of SQLite, or a schema of its own on PostgreSQL.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::{
    io::{self, Write as _},
    sync::{
        Once,
        atomic::{AtomicU64, Ordering},
    },
};

use tempfile::TempDir;

/// Where a test's database is. The folder of a file is removed with it.
pub(crate) struct Database {
    pub(crate) place: String,
    _folder: Option<TempDir>,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("apns.db").to_str().unwrap().to_owned();
        Self { place, _folder: Some(folder) }
    }

    /// `None` where nobody says which server to use.
    pub(crate) async fn postgres() -> Option<Self> {
        static SAID: Once = Once::new();

        let Ok(url) = std::env::var(POSTGRES) else {
            // Past the harness, which shows nothing of a test that passes.
            SAID.call_once(|| {
                let _ = writeln!(io::stderr(), "tests on PostgreSQL are skipped: {POSTGRES} names none");
            });
            return None;
        };
        Some(Self { place: schema_url(&url).await, _folder: None })
    }
}

/// Names the variable with the URL of a server to make schemas on.
const POSTGRES: &str = "APNS_PROVIDER_TEST_POSTGRES";

async fn schema_url(url: &str) -> String {
    use sqlx::Connection as _;

    static NEXT: AtomicU64 = AtomicU64::new(0);
    let schema = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    sqlx::raw_sql(create).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    format!("{url}?options=-c%20search_path%3D{schema}")
}

/// Runs each test on SQLite, and on PostgreSQL where there is a server for it.
#[allow(unused_macros, reason = "one test file runs on one database alone")]
macro_rules! on_both {
    ($scene:ident: $($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(super::$scene::on($crate::databases::Database::sqlite()).await).await;
                }
            )*
        }

        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(database) = $crate::databases::Database::postgres().await {
                        super::$name(super::$scene::on(database).await).await;
                    }
                }
            )*
        }
    };
}
#[allow(unused_imports, reason = "one test file runs on one database alone")]
pub(crate) use on_both;
