//! A database for each test, on the cluster that `DATABASE_URL` names; dropped with the test.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::Caller;

/// A database of its own.
pub struct TestDatabase {
    name: String,
    cluster: String,
}

impl TestDatabase {
    /// Creates an empty one on the cluster of the environment.
    pub fn create() -> Self {
        let cluster = std::env::var("DATABASE_URL").expect("DATABASE_URL: run with `cargo xtask pg -- …`");
        Self::create_on(&cluster)
    }

    /// Creates an empty one on a cluster.
    pub fn create_on(cluster: &str) -> Self {
        let name = format!("onsale_server_{}", Uuid::now_v7().simple());
        let database = Self {
            name,
            cluster: cluster.to_owned(),
        };
        database.tool("createdb", &["--template=template0"]);
        database
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        let (server, _) = self.cluster.rsplit_once('/').expect("a database in the URL");
        format!("{server}/{}", self.name)
    }

    /// Its name in the cluster.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A connection to it.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url())
            .await
            .expect("the test's database")
    }

    /// One number.
    pub async fn number(&self, query: &'static str) -> i64 {
        let mut connection = self.connect().await;
        sqlx::query_scalar(query)
            .fetch_one(&mut connection)
            .await
            .expect(query)
    }

    /// One text.
    pub async fn text(&self, query: &'static str) -> String {
        let mut connection = self.connect().await;
        sqlx::query_scalar(query)
            .fetch_one(&mut connection)
            .await
            .expect(query)
    }

    /// Changes the schema, or what no route changes.
    pub async fn alter(&self, statement: &'static str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(statement)
            .execute(&mut connection)
            .await
            .expect(statement);
    }

    /// Gives a caller an account with one role, within an organization or outside all of them, and the session of
    /// their token.
    pub async fn hire(&self, caller: &Caller, role: &str, organization: Option<Uuid>) {
        let user_id = caller.id;
        let mut connection = self.connect().await;
        sqlx::query("INSERT INTO users (user_id, kind, email, name) VALUES ($1, 'person', $2, 'Somebody')")
            .bind(user_id)
            .bind(format!("{user_id}@test.example"))
            .execute(&mut connection)
            .await
            .expect("an account");
        sqlx::query(
            "INSERT INTO sessions (session_id, user_id, created_at, expires_at)
             VALUES ($1, $2, now(), now() + interval '1 hour')",
        )
        .bind(caller.session)
        .bind(user_id)
        .execute(&mut connection)
        .await
        .expect("a session");
        let assigned = sqlx::query(
            "INSERT INTO user_roles (user_id, role_id, scope, organization_id)
             SELECT $1, role_id, scope, $3 FROM roles WHERE name = $2",
        )
        .bind(user_id)
        .bind(role)
        .bind(organization)
        .execute(&mut connection)
        .await
        .expect("a role");
        assert_eq!(assigned.rows_affected(), 1, "no role {role}");
    }

    /// Does what no route does, or not without a password.
    pub async fn execute(&self, statement: &'static str, id: Uuid) {
        let mut connection = self.connect().await;
        let done = sqlx::query(statement).bind(id).execute(&mut connection).await;
        assert_eq!(done.expect(statement).rows_affected(), 1, "{statement}");
    }

    /// Ends every connection and takes no new one.
    pub fn shut(&self) {
        self.psql(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name));
        self.disconnect_all();
    }

    /// Takes connections again.
    pub fn reopen(&self) {
        self.psql(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name));
    }

    /// Takes no writes from now on; whoever was connected has to come again.
    pub fn make_read_only(&self) {
        self.psql(&format!(
            "ALTER DATABASE {} SET default_transaction_read_only = on",
            self.name
        ));
        self.disconnect_all();
    }

    /// Takes writes again, in sessions that begin from now on.
    pub fn make_writable(&self) {
        self.psql(&format!(
            "ALTER DATABASE {} RESET default_transaction_read_only",
            self.name
        ));
    }

    fn disconnect_all(&self) {
        self.psql(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        ));
    }

    /// Runs a statement from outside of the database.
    fn psql(&self, statement: &str) {
        let output = Command::new(bin_dir().join("psql"))
            .args(["--quiet", "--no-psqlrc", "--command", statement, &self.cluster])
            .stdin(Stdio::null())
            .output()
            .expect("psql");
        assert!(
            output.status.success(),
            "{statement}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn tool(&self, program: &str, arguments: &[&str]) {
        let output = Command::new(bin_dir().join(program))
            .args(arguments)
            .arg(format!("--maintenance-db={}", self.cluster))
            .arg(&self.name)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(
            output.status.success() || std::thread::panicking(),
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        self.tool("dropdb", &["--if-exists", "--force"]);
    }
}

/// Where the programs of Postgres are; empty for `PATH`.
pub fn bin_dir() -> PathBuf {
    std::env::var_os("ONSALE_TEST_PG_BIN_DIR")
        .map(PathBuf::from)
        .unwrap_or_default()
}
