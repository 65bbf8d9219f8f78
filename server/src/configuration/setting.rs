//! The register of settings.

pub(crate) use super::row::Setting;
use super::row::{optional, plain, secret};

pub(super) const LISTEN: Setting = plain(
    ("listen", "ONSALE_LISTEN"),
    "127.0.0.1:8080",
    "Address of the API.",
    "Give an address and a port, such as 0.0.0.0:8080",
);
pub(super) const INTERNAL_LISTEN: Setting = plain(
    ("internal_listen", "ONSALE_INTERNAL_LISTEN"),
    "127.0.0.1:9464",
    "Address of metrics, health and what only operators may ask for.",
    "Give an address and a port that only operators reach, such as 127.0.0.1:9464",
);
pub(super) const DATABASE_URL: Setting = secret(
    ("database_url", "DATABASE_URL"),
    "Postgres, where everything relational and the `postgres` journal are.",
    "Give a Postgres URL, such as postgres://onsale:secret@localhost:5432/onsale, or name a file that holds it in DATABASE_URL_FILE",
);
pub(super) const DATABASE_CONNECTIONS_MAX: Setting = plain(
    ("database_connections_max", "ONSALE_DATABASE_CONNECTIONS_MAX"),
    "16",
    "Connections of the pool to Postgres. The `postgres` journal takes two more.",
    "Give a whole number from 1 to 1000, below what Postgres allows",
);
pub(super) const REDIS_URL: Setting = secret(
    ("redis_url", "REDIS_URL"),
    "Redis, through which several processes tell each other what was revoked and which roles changed, and count rate limits as one. Without it each is on its own: run one process only.",
    "Give a Redis URL, such as redis://localhost:6379 or, over TLS, rediss://redis.example:6380, or leave it out",
);
pub(super) const REDIS_PREFIX: Setting = plain(
    ("redis_prefix", "ONSALE_REDIS_PREFIX"),
    "onsale:",
    "What every key in Redis begins with.",
    "Give each deployment on one Redis its own beginning of keys, up to 100 bytes",
);
pub(super) const JOURNAL: Setting = plain(
    ("journal", "ONSALE_JOURNAL"),
    "postgres",
    "Where records become durable before anybody is told: in Postgres, or on this machine's own disk.",
    "Choose postgres (survives the loss of this machine) or local (needs a disk of its own)",
);
pub(super) const JOURNAL_DIRECTORY: Setting = plain(
    ("journal_directory", "ONSALE_JOURNAL_DIRECTORY"),
    "onsale-journal",
    "Directory of the `local` journal.",
    "Give a directory on a real disk that this process alone may write to",
);
pub(super) const TOKEN_SECRET: Setting = secret(
    ("token_secret", "ONSALE_TOKEN_SECRET"),
    "What access tokens are signed with (HS256), where there are no `token_keys`.",
    "Give at least 32 random bytes, for example from `openssl rand -base64 48`, or name a file that holds them in ONSALE_TOKEN_SECRET_FILE",
);
pub(super) const TOKEN_KEYS: Setting = secret(
    ("token_keys", "ONSALE_TOKEN_KEYS"),
    "Keys of access tokens, one `ID ALGORITHM KEY` a line: the first signs, all verify. `token_secret`, where it is set too, only verifies then.",
    "Give lines as `onsale token-key` prints them, or name a file that holds them in ONSALE_TOKEN_KEYS_FILE",
);
pub(super) const TOKEN_ISSUER: Setting = plain(
    ("token_issuer", "ONSALE_TOKEN_ISSUER"),
    "onsale",
    "Issuer that tokens must name.",
    "Give the issuer that tokens name in `iss`",
);
pub(super) const TOKEN_AUDIENCE: Setting = plain(
    ("token_audience", "ONSALE_TOKEN_AUDIENCE"),
    "onsale-api",
    "Audience that tokens must name.",
    "Give the audience that tokens name in `aud`",
);
pub(super) const PAYMENT_GATEWAY: Setting = plain(
    ("payment_gateway", "ONSALE_PAYMENT_GATEWAY"),
    "simulated",
    "Who takes new payments. Every provider that has a key settles what it took before, whichever is named here.",
    "Choose simulated (moves no money), stripe (needs stripe_secret_key) or midtrans (needs midtrans_server_key)",
);
pub(super) const STRIPE_SECRET_KEY: Setting = secret(
    ("stripe_secret_key", "ONSALE_STRIPE_SECRET_KEY"),
    "The key of the Stripe account.",
    "Give a secret or restricted key of the account (sk_… or rk_…), or name a file that holds it in ONSALE_STRIPE_SECRET_KEY_FILE",
);
pub(super) const STRIPE_WEBHOOK_SECRETS: Setting = secret(
    ("stripe_webhook_secrets", "ONSALE_STRIPE_WEBHOOK_SECRETS"),
    "What Stripe signs its messages to `/v1/webhooks/payments/stripe` with. Without any, payments are only asked about from time to time.",
    "Give the signing secret of the webhook endpoint (whsec_…), or two separated by a comma while one is exchanged, or name a file that holds them in ONSALE_STRIPE_WEBHOOK_SECRETS_FILE",
);
pub(super) const STRIPE_URL: Setting = plain(
    ("stripe_url", "ONSALE_STRIPE_URL"),
    "https://api.stripe.com",
    "Where Stripe's API is.",
    "Give an https address, or in trials an http address of this machine",
);
pub(super) const MIDTRANS_SERVER_KEY: Setting = secret(
    ("midtrans_server_key", "ONSALE_MIDTRANS_SERVER_KEY"),
    "The server key of the Midtrans account. It signs Midtrans's messages to `/v1/webhooks/payments/midtrans` too.",
    "Give the server key of the account, or name a file that holds it in ONSALE_MIDTRANS_SERVER_KEY_FILE",
);
pub(super) const MIDTRANS_URL: Setting = plain(
    ("midtrans_url", "ONSALE_MIDTRANS_URL"),
    "https://api.midtrans.com",
    "Where Midtrans's Core API is.",
    "Give an https address, such as https://api.sandbox.midtrans.com, or in trials an http address of this machine",
);
pub(super) const TICKET_KEYS: Setting = secret(
    ("ticket_keys", "ONSALE_TICKET_KEYS"),
    "Ed25519 keys of tickets, one `ID EdDSA KEY` a line with ids of up to 16 bytes: the first signs, all verify. Keep a key until the last event is over whose tickets it signed.",
    "Give lines as `onsale token-key --id 2026-11` prints them, or name a file that holds them in ONSALE_TICKET_KEYS_FILE",
);
pub(super) const FILES_FOLDER: Setting = plain(
    ("files_folder", "ONSALE_FILES_FOLDER"),
    "onsale-files",
    "Directory of ticket files, where there is no `s3_bucket`. All processes must see the same one.",
    "Give a directory that this process may write to, or an s3_bucket",
);
pub(super) const S3_BUCKET: Setting = optional(
    ("s3_bucket", "ONSALE_S3_BUCKET"),
    "Bucket of ticket files, private, in S3 or what speaks as it does; for programs built with the feature `s3`.",
    "Name a bucket that is there, or leave it out to keep files in files_folder",
);
pub(super) const S3_ENDPOINT: Setting = optional(
    ("s3_endpoint", "ONSALE_S3_ENDPOINT"),
    "Where the bucket is, when that is not Amazon. Links to files lead there, so buyers must reach it.",
    "Give a URL, such as https://s3.example",
);
pub(super) const S3_REGION: Setting = plain(
    ("s3_region", "ONSALE_S3_REGION"),
    "us-east-1",
    "Region of the bucket.",
    "Give the region that the bucket is in, or that its endpoint expects in signatures",
);
pub(super) const S3_PATH_STYLE: Setting = plain(
    ("s3_path_style", "ONSALE_S3_PATH_STYLE"),
    "false",
    "Whether the bucket's name stands in the path and not in the host's name.",
    "Choose true (for most that is not Amazon) or false",
);
pub(super) const S3_ACCESS_KEY_ID: Setting = optional(
    ("s3_access_key_id", "ONSALE_S3_ACCESS_KEY_ID"),
    "Access key of the bucket; without one, as the AWS tools find theirs (environment, profile, role of the machine).",
    "Give the id together with s3_secret_access_key, or neither",
);
pub(super) const S3_SECRET_ACCESS_KEY: Setting = secret(
    ("s3_secret_access_key", "ONSALE_S3_SECRET_ACCESS_KEY"),
    "Secret of `s3_access_key_id`.",
    "Give the secret together with s3_access_key_id, or neither",
);
pub(super) const MAILER: Setting = plain(
    ("mailer", "ONSALE_MAILER"),
    "none",
    "Who sends mail: an SMTP server (`smtp`), nobody (`none`; what people ask for waits until it is too late), a folder that it is put into (`folder`), or the log (`log`). Folder and log hold tokens and addresses: they are for development.",
    "Choose smtp, none, folder or log",
);
pub(super) const MAIL_FROM: Setting = optional(
    ("mail_from", "ONSALE_MAIL_FROM"),
    "From whom mail comes. Its domain also names the messages.",
    "Give a name and an address that the SMTP server sends for, such as Onsale <tickets@onsale.example>",
);
pub(super) const MAIL_FOLDER: Setting = plain(
    ("mail_folder", "ONSALE_MAIL_FOLDER"),
    "mail",
    "Where `mailer = folder` puts each message, as a file.",
    "Name a folder that this user may write, and nobody else may read",
);
pub(super) const SMTP_URL: Setting = secret(
    ("smtp_url", "ONSALE_SMTP_URL"),
    "The server that `mailer = smtp` hands mail to. Its certificate must be trusted by this machine.",
    "Give smtps://name:password@host:465, or smtp://name:password@host:587?tls=required for STARTTLS; what a URL reserves is percent-encoded",
);
pub(super) const BREACHED_PASSWORDS: Setting = optional(
    ("breached_passwords", "ONSALE_BREACHED_PASSWORDS"),
    "File of passwords that nobody may have, one a line, read when the process starts; the commonest are refused without one.",
    "Name a UTF-8 file of at most 20 million passwords, one a line",
);
pub(super) const CONNECTIONS_MAX: Setting = plain(
    ("connections_max", "ONSALE_CONNECTIONS_MAX"),
    "20000",
    "Connections to the API at once.",
    "Give a whole number from 1 to 1000000, below the file descriptor limit",
);
pub(super) const RATE_LIMIT_PER_SECOND: Setting = plain(
    ("rate_limit_per_second", "ONSALE_RATE_LIMIT_PER_SECOND"),
    "20",
    "Requests to the sale that a caller may send each second.",
    "Give requests per second and caller from 1 to 1000000, or 0 for no limit",
);
pub(super) const RATE_LIMIT_BURST: Setting = plain(
    ("rate_limit_burst", "ONSALE_RATE_LIMIT_BURST"),
    "40",
    "Requests to the sale that a caller may send at once.",
    "Give a whole number from 1 to 1000000",
);
pub(super) const AUTH_RATE_LIMIT_ACCOUNT_PER_MINUTE: Setting = plain(
    (
        "auth_rate_limit_account_per_minute",
        "ONSALE_AUTH_RATE_LIMIT_ACCOUNT_PER_MINUTE",
    ),
    "10",
    "How often somebody may try to get into one account, from wherever they try.",
    "Give tries per minute and account from 1 to 1000000, or 0 for no limit",
);
pub(super) const AUTH_RATE_LIMIT_ADDRESS_PER_MINUTE: Setting = plain(
    (
        "auth_rate_limit_address_per_minute",
        "ONSALE_AUTH_RATE_LIMIT_ADDRESS_PER_MINUTE",
    ),
    "30",
    "How often an IPv4 address or an IPv6 network of 64 bits may try to get into any accounts.",
    "Give tries per minute and address from 1 to 1000000, or 0 for no limit",
);
pub(super) const CORS_ORIGINS: Setting = optional(
    ("cors_origins", "ONSALE_CORS_ORIGINS"),
    "Sites whose scripts may call the API from a browser; without any, none may. There are no patterns.",
    "Give exact origins as browsers send them, separated by commas, such as https://shop.example,http://localhost:3000",
);
pub(super) const TRUSTED_PROXIES: Setting = optional(
    ("trusted_proxies", "ONSALE_TRUSTED_PROXIES"),
    "Reverse proxies whose `X-Forwarded-For` is believed when callers without a token are told apart. Behind a proxy that is not named here, they all count as one. Their `traceparent` may ask for a trace.",
    "Give the addresses or networks of your reverse proxies, separated by commas, such as 10.0.0.1,10.20.0.0/16,2001:db8::/32",
);
pub(super) const IDLE_TIMEOUT_SECONDS: Setting = plain(
    ("idle_timeout_seconds", "ONSALE_IDLE_TIMEOUT_SECONDS"),
    "75",
    "How long a connection to the API may be idle before it is closed. A reverse proxy must give its connections up sooner, or it answers 502 when it uses one that was just closed.",
    "Give whole seconds from 1 to 600; behind a reverse proxy, more than it keeps idle connections",
);
pub(super) const SHUTDOWN_GRACE_SECONDS: Setting = plain(
    ("shutdown_grace_seconds", "ONSALE_SHUTDOWN_GRACE_SECONDS"),
    "25",
    "Time from SIGTERM to the end of the process: four fifths for requests under way, the rest to flush.",
    "Give whole seconds from 1 to 600, below what the service manager waits before it kills",
);
pub(super) const NODE_NAME: Setting = optional(
    ("node_name", "ONSALE_NODE_NAME"),
    "Name of this process in the deployment; without one it is host and port. A restart under the same name takes its events over at once.",
    "Give every process of a deployment its own name, up to 100 bytes; without one it is host and port",
);
pub(super) const PEER_SECRET: Setting = secret(
    ("peer_secret", "ONSALE_PEER_SECRET"),
    "What the processes of a deployment know each other by, for the `postgres` journal. With it, a request for an event that another process owns is answered by asking that one; without it, it is refused (503). Up to four secrets stand one on a line: the first seals, all are known, so that a new one is first added as the last everywhere, then moved to the front, and then the old one is taken away.",
    "Give all processes of the deployment the same 32 random bytes or more, for example from `openssl rand -base64 48`, or name a file that holds them in ONSALE_PEER_SECRET_FILE",
);
pub(super) const PEER_ADDRESS: Setting = optional(
    ("peer_address", "ONSALE_PEER_ADDRESS"),
    "Where the other processes reach the internal port of this one. Without it, that is the address of `internal_listen`, or, where that is every address (0.0.0.0), this machine's own on its way to Postgres.",
    "Give http://HOST:PORT as the other processes reach it, such as http://10.0.1.7:9464",
);
pub(super) const LOG_LEVEL: Setting = plain(
    ("log_level", "ONSALE_LOG_LEVEL"),
    "info",
    "How much is logged, on stderr.",
    "Give a level (error, warn, info, debug, trace) or directives such as info,onsale_engine=debug",
);
pub(super) const LOG_FORMAT: Setting = plain(
    ("log_format", "ONSALE_LOG_FORMAT"),
    "text",
    "How log lines look.",
    "Choose text (for people) or json (for collectors)",
);
pub(super) const OTLP_ENDPOINT: Setting = optional(
    ("otlp_endpoint", "ONSALE_OTLP_ENDPOINT"),
    "Collector that takes traces by OTLP over HTTP; for programs built with the feature `otlp`. Without one nothing is traced.",
    "Give an http or https address such as http://otel-collector:4318, or leave it out",
);
pub(super) const TRACE_SAMPLE_RATIO: Setting = plain(
    ("trace_sample_ratio", "ONSALE_TRACE_SAMPLE_RATIO"),
    "0.01",
    "Share of the requests that is traced, where there is an `otlp_endpoint`; at 0 none is, whoever asks.",
    "Give a number from 0 to 1, such as 0.01 for one request in a hundred",
);
pub(super) const DRILLS: Setting = plain(
    ("drills", "ONSALE_DRILLS"),
    "false",
    "Whether the internal port crashes actors on request.",
    "Choose true (the internal port may crash actors on request, for trials only) or false",
);

/// Every setting, in the order in which `onsale config check` prints them.
pub(crate) const ALL: [&Setting; 48] = [
    &LISTEN,
    &INTERNAL_LISTEN,
    &DATABASE_URL,
    &DATABASE_CONNECTIONS_MAX,
    &REDIS_URL,
    &REDIS_PREFIX,
    &JOURNAL,
    &JOURNAL_DIRECTORY,
    &TOKEN_SECRET,
    &TOKEN_KEYS,
    &TOKEN_ISSUER,
    &TOKEN_AUDIENCE,
    &PAYMENT_GATEWAY,
    &STRIPE_SECRET_KEY,
    &STRIPE_WEBHOOK_SECRETS,
    &STRIPE_URL,
    &MIDTRANS_SERVER_KEY,
    &MIDTRANS_URL,
    &TICKET_KEYS,
    &FILES_FOLDER,
    &S3_BUCKET,
    &S3_ENDPOINT,
    &S3_REGION,
    &S3_PATH_STYLE,
    &S3_ACCESS_KEY_ID,
    &S3_SECRET_ACCESS_KEY,
    &MAILER,
    &MAIL_FROM,
    &MAIL_FOLDER,
    &SMTP_URL,
    &BREACHED_PASSWORDS,
    &CONNECTIONS_MAX,
    &RATE_LIMIT_PER_SECOND,
    &RATE_LIMIT_BURST,
    &AUTH_RATE_LIMIT_ACCOUNT_PER_MINUTE,
    &AUTH_RATE_LIMIT_ADDRESS_PER_MINUTE,
    &CORS_ORIGINS,
    &TRUSTED_PROXIES,
    &IDLE_TIMEOUT_SECONDS,
    &SHUTDOWN_GRACE_SECONDS,
    &NODE_NAME,
    &PEER_SECRET,
    &PEER_ADDRESS,
    &LOG_LEVEL,
    &LOG_FORMAT,
    &OTLP_ENDPOINT,
    &TRACE_SAMPLE_RATIO,
    &DRILLS,
];

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
