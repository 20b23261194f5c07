//! What holds of servers alone: who may do what, and connections that are lost.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::postgres::{PASSWORD, Postgres};
use super::*;

fn at(address: &str) -> Location {
    Location::parse(std::path::Path::new(address)).expect("an address")
}

/// Why it cannot be opened to add to it.
fn refused(at: &Location) -> String {
    let fault = Store::open_or_make(at).err().expect("a fault").to_string();
    assert!(!fault.contains(PASSWORD), "{fault}");
    fault
}

/// The same with a password, which a server asks for over TCP.
fn with_password(address: &str, password: &str) -> Location {
    let address = Address::parse(address).expect("an address");
    Location::Server(address.with(Some(password.to_string()), Vec::new()))
}

#[test]
fn a_server_without_a_history_one_of_a_newer_version_and_one_that_is_none_are_refused() {
    let server = Postgres::shared();
    let name = server.database();
    let place = at(&server.near(&name));
    let missing = Store::open(&place).err().expect("none there").to_string();
    assert!(missing.contains("begins one"), "{missing}");
    assert_eq!(
        server.psql(
            &name,
            "SELECT 1 FROM pg_namespace WHERE nspname = 'portproof'"
        ),
        ""
    );
    drop(Store::open_or_make(&place).expect("a history"));
    server.psql(&name, "UPDATE portproof.version SET version = 99");
    for newer in [
        refused(&place),
        Store::open(&place).err().expect("newer").to_string(),
    ] {
        assert!(newer.contains("newer version"), "{newer}");
    }
    let away = refused(&at(&server.near("nowhere")));
    assert!(
        away.contains("does not exist") && away.contains("createdb"),
        "{away}"
    );
    let other = server.database();
    server.psql(
        "postgres",
        &format!("CREATE DATABASE {other}_latin ENCODING LATIN1 TEMPLATE template0"),
    );
    let latin = refused(&at(&server.near(&format!("{other}_latin"))));
    assert!(latin.contains("LATIN1, and UTF8 is needed"), "{latin}");
}

#[test]
fn a_wrong_password_or_none_is_refused_and_never_shown() {
    let server = Postgres::shared();
    let name = server.database();
    let wrong = refused(&with_password(&server.far(&name), "wr0ng"));
    assert!(wrong.contains("password authentication failed"), "{wrong}");
    assert!(!wrong.contains("wr0ng"), "{wrong}");
    let none = refused(&at(&server.far(&name)));
    assert!(none.contains("PGPASSWORD"), "{none}");
    drop(Store::open_or_make(&with_password(&server.far(&name), PASSWORD)).expect("a history"));
    let plain = refused(&with_password(
        &(server.far(&name) + "?sslmode=require"),
        PASSWORD,
    ));
    assert!(plain.contains("sslmode=disable"), "{plain}");
}

#[test]
fn a_role_that_may_only_read_lists_runs_and_one_that_may_nothing_is_told_what_it_needs() {
    let server = Postgres::shared();
    let name = server.database();
    server.psql(&name, &format!("CREATE ROLE reader_{name} LOGIN"));
    let reader = at(&server
        .near(&name)
        .replace("portproof@", &format!("reader_{name}@")));
    let fault = refused(&reader);
    assert!(
        fault.contains("permission denied") && fault.contains("CREATE SCHEMA"),
        "{fault}"
    );
    add(
        &mut Store::open_or_make(&at(&server.near(&name))).expect("a history"),
        &report("internet", Verdict::Ok),
    );
    let grants = format!(
        "GRANT USAGE ON SCHEMA portproof TO reader_{name}; GRANT SELECT ON ALL TABLES IN SCHEMA portproof TO reader_{name}"
    );
    server.psql(&name, &grants);
    let mut store = Store::open(&reader).expect("it may read");
    assert_eq!(store.latest(10).expect("a list").len(), 1);
    let failure = Kept::Failure {
        started: Timestamp::now(),
        why: "x".to_string(),
        exit_status: 2,
    };
    let fault = store
        .add(&failure, Timestamp::now())
        .expect_err("it may not write");
    assert!(fault.to_string().contains("permission denied"), "{fault}");
}

#[test]
fn text_with_a_zero_byte_is_kept_without_it() {
    let server = Postgres::shared();
    let mut store = Store::open_or_make(&at(&server.near(&server.database()))).expect("a history");
    let failure = Kept::Failure {
        started: Timestamp::now(),
        why: "a\0b".to_string(),
        exit_status: 2,
    };
    store
        .add(&failure, Timestamp::now())
        .expect("it is written");
    let kept = store.latest(1).expect("a list").remove(0);
    assert_eq!(kept.failure.as_deref(), Some("a\u{fffd}b"));
}

#[test]
fn the_bytes_that_are_counted_are_those_of_the_rows_that_are_there() {
    let server = Postgres::shared();
    let name = server.database();
    let mut store = Store::open_or_make(&at(&server.near(&name))).expect("a history");
    for verdict in [Verdict::Ok, Verdict::Blocked, Verdict::Ok] {
        add(&mut store, &report("internet", verdict));
    }
    let later = Timestamp::now() + SignedDuration::from_hours(24 * 1_000);
    store
        .retain(Retention::new(None, None), later)
        .expect("it is written");
    assert_eq!(store.latest(10).expect("a list").len(), 1);
    let counted = server.psql(
        &name,
        "SELECT (SELECT SUM(200 + COALESCE(pg_column_size(report), 0) + COALESCE(pg_column_size(summary), 0)
            + COALESCE(pg_column_size(failure), 0)) FROM portproof.run)
            + (SELECT SUM(100 + 2 * pg_column_size(flow) + COALESCE(pg_column_size(before), 0)
            + COALESCE(pg_column_size(after), 0)) FROM portproof.change)",
    );
    assert_eq!(store.size().expect("it is read").to_string(), counted);
}

#[test]
fn a_connection_that_was_ended_is_opened_again_and_the_only_daemon_stays_the_only_one() {
    let server = Postgres::shared();
    let name = server.database();
    let place = at(&server.near(&name));
    let mut store = Store::open_or_make(&place).expect("a history");
    store.be_alone().expect("the only one");
    let mut other = Store::open(&place).expect("a history");
    let taken = other.be_alone().expect_err("there is one").to_string();
    assert!(taken.contains("another `portproof serve`"), "{taken}");
    drop(other);
    let end_all = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for runs in 1..=2 {
        assert_eq!(server.psql(&name, end_all), "1");
        add(&mut store, &report("internet", Verdict::Ok));
        assert_eq!(store.latest(10).expect("a list").len(), runs);
        assert_eq!(server.psql(&name, end_all), "1");
        assert_eq!(store.latest(10).expect("a list").len(), runs);
    }
    let mut other = Store::open(&place).expect("a history");
    assert!(other.be_alone().is_err(), "it was taken again");
    drop(store);
    let deadline = Instant::now() + Duration::from_secs(10);
    while other.be_alone().is_err() {
        assert!(
            Instant::now() < deadline,
            "who has gone leaves it to others"
        );
    }
}

/// What stands between a history and its server. It hands on the next COMMIT, and ends the connection before its answer,
/// where it is told to.
struct Between {
    at: SocketAddr,
    loses_answer: Arc<AtomicBool>,
}

impl Between {
    fn new(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
        let between = Self {
            at: listener.local_addr().expect("an address"),
            loses_answer: Arc::default(),
        };
        let loses_answer = Arc::clone(&between.loses_answer);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(server).expect("it listens");
                let loses_answer = Arc::clone(&loses_answer);
                let (from, to) = (client.try_clone(), server.try_clone());
                let (from, to) = (from.expect("a socket"), to.expect("a socket"));
                thread::spawn(move || hand_on(client, server, &loses_answer));
                thread::spawn(move || hand_on(to, from, &AtomicBool::new(false)));
            }
        });
        between
    }
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, loses_answer: &AtomicBool) {
    let mut bytes = [0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        let is_commit = bytes[..read].windows(6).any(|it| it == b"COMMIT");
        if is_commit && loses_answer.swap(false, Ordering::Relaxed) {
            // Whoever asked hears nothing more; the server hears it all.
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.write_all(&bytes[..read]);
            thread::sleep(Duration::from_millis(100));
            break;
        }
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_run_whose_commit_was_not_answered_is_there_once_with_what_it_changed() {
    let server = Postgres::shared();
    let name = server.database();
    let between = Between::new((Ipv4Addr::LOCALHOST, server.port).into());
    let address = format!("postgres://portproof@{}/{name}", between.at);
    let mut store = Store::open_or_make(&with_password(&address, PASSWORD)).expect("a history");
    let first = add(&mut store, &report("internet", Verdict::Ok));
    between.loses_answer.store(true, Ordering::Relaxed);
    let second = add(&mut store, &report("internet", Verdict::Blocked));
    assert!(!between.loses_answer.load(Ordering::Relaxed), "it was lost");
    let listed = store.latest(10).expect("a list");
    let numbers: Vec<i64> = listed.iter().map(|run| run.id).collect();
    assert_eq!(numbers, [second.id, first.id]);
    assert_eq!(second.since.map(|(run, _)| run), Some(first.id));
    assert_eq!(listed[0].changed.map(|it| it.worse), Some(1));
}

#[test]
fn a_server_that_takes_connections_and_never_speaks_is_given_up_in_time() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
    let place = at(&format!(
        "postgres://u@{}/p",
        silent.local_addr().expect("an address")
    ));
    let began = Instant::now();
    let fault = refused(&place);
    assert!(fault.contains("no answer within 10 s"), "{fault}");
    assert!(began.elapsed() < Duration::from_secs(20));
    drop(silent);
    let fault = refused(&place);
    assert!(fault.contains("refused"), "{fault}");
}

#[test]
fn a_server_that_speaks_nonsense_is_a_fault_in_words() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
    let place = at(&format!(
        "postgres://u@{}/p",
        listener.local_addr().expect("an address")
    ));
    thread::spawn(move || {
        for answer in [
            &b"HTTP/1.1 400 Bad\r\n\r\n"[..],
            b"E\xff\xff\xff\xff",
            b"R\0\0\0\x08\0\0\0\x63",
            b"\x1b[2J",
        ] {
            let (mut client, _) = listener.accept().expect("a client");
            let _ = client.write_all(answer);
        }
    });
    for _ in 0..4 {
        let fault = refused(&place);
        assert!(!fault.contains('\x1b'), "{fault}");
    }
}
