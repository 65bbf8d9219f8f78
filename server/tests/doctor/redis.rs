//! Redis: a real one, and one that says what a test has it say.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::patient::Patient;
use crate::support::{PrivateRedis, free_address};

/// Serves until the test ends.
fn pretend(info: &'static str, seconds: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream, info, seconds));
        }
    });
    address
}

/// Reads commands (`*2`, `$4`, `INFO`, …) and answers each, until the client has enough.
fn answer(mut stream: TcpStream, info: &str, seconds: u64) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?)
        .lines()
        .map_while(Result::ok);
    loop {
        let words: usize = lines.next()?.strip_prefix('*')?.parse().ok()?;
        let mut command = Vec::new();
        for _ in 0..words {
            let _length = lines.next()?;
            command.push(lines.next()?);
        }
        let said = match command[0].as_str() {
            "INFO" => format!("${}\r\n{info}\r\n", info.len()),
            "TIME" => format!("*2\r\n${}\r\n{seconds}\r\n$1\r\n0\r\n", seconds.to_string().len()),
            _ => "+OK\r\n".to_owned(),
        };
        stream.write_all(said.as_bytes()).ok()?;
    }
}

fn examined(url: &str) -> crate::patient::Report {
    Patient::without_database().with("REDIS_URL", url).examined()
}

#[tokio::test]
async fn a_redis_is_well_until_it_is_full_or_follows_another() {
    let redis = PrivateRedis::start().await;
    let report = examined(&redis.url());
    report.passes("redis");
    report.passes("redis memory");
    report.passes("clock");

    redis.command("CONFIG SET maxmemory-policy allkeys-lru");
    examined(&redis.url()).warns("redis memory", "allkeys-lru", "maxmemory-policy volatile-ttl");
    redis.command("CONFIG SET maxmemory-policy noeviction");
    redis.fill();
    examined(&redis.url()).warns("redis memory", "bytes are used", "Raise maxmemory");
    redis.command(&format!("REPLICAOF 127.0.0.1 {}", free_address().port()));
    examined(&redis.url()).fails("redis", "replica", "primary");
}

#[tokio::test]
async fn a_redis_that_does_not_answer_is_told_with_the_reason() {
    let nobody = format!("redis://{}", free_address());
    examined(&nobody).fails("redis", "refused", "REDIS_URL");
    let redis = PrivateRedis::start().await;
    redis.freeze();
    examined(&redis.url()).fails("redis", "", "REDIS_URL");
}

#[test]
fn an_old_redis_with_a_wrong_clock_is_told_apart() {
    let address = pretend(
        "redis_version:5.0.14\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n",
        1_000_000_000,
    );
    let report = examined(&format!("redis://{address}"));
    report.fails("redis", "version 5.0.14", "Redis 6 or later");
    report.fails("clock", "ms from the clock of Redis", "NTP");
}
