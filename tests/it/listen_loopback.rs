//! `listen` and `check` on loopback: who is answered, who is not, and what is written down.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::listener::{Bed, Listening, SOURCE, TOKEN, by_id, is_translated, portproof};
use serde_json::Value;

const LOG: &str = "arrivals.json";

fn listen(bed: &Bed, arguments: &[&str]) -> Listening {
    bed.listen_in(&[], LOG, arguments)
}

/// Runs a listener that ends by itself.
fn listen_to_the_end(bed: &Bed, arguments: &[&str], token: Option<&str>) -> (Option<i32>, String) {
    let (site, log) = (bed.site_file(), bed.path(LOG).display().to_string());
    let mut all = vec!["listen", &site, "--log", &log];
    all.extend(arguments);
    let (status, out, said) = portproof(&all, token);
    assert_eq!(out, "", "nothing is for programs");
    (status, said)
}

fn check(bed: &Bed, token: Option<&str>) -> Value {
    bed.check_in(&[], &["--from", "internet"], token)
}

/// Ports of loopback that were free a moment ago.
fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("loopback"));
    held.map(|socket| socket.local_addr().expect("an address").port())
}

/// A site whose one system is at 127.0.0.1: a port of which nothing is asked, one with HTTPS, one with UDP.
fn site(ports: [u16; 3]) -> String {
    site_at("127.0.0.1", ports)
}

fn site_at(address: &str, [tcp, https, udp]: [u16; 3]) -> String {
    format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones:
  internet: {{ networks: [\"127.0.0.0/8\", \"::1/128\"] }}
  perimeter: {{}}
firewalls: {{ front-end: {{ between: [internet, perimeter] }} }}
systems:
  web: {{ zone: perimeter, addresses: {{ default: \"{address}\" }}, roles: [console] }}
probing: {{ second_look: off, timeout: 1s, rate: max, sweep: none }}
flows:
  - {{ from: internet, to: web, port: {tcp}, need: required }}
  - {{ from: internet, to: web, port: {https}, protocol: https, need: required }}
  - {{ from: internet, to: web, port: {udp}, transport: udp, need: required }}
"
    )
}

fn cause<'a>(report: &'a Value, id: &str) -> (&'a str, &'a str) {
    let flow = by_id(report, id);
    let word = |key: &str| flow[key].as_str().unwrap_or_default();
    (word("verdict"), word("cause"))
}

#[test]
fn a_listener_proves_tcp_https_and_udp_and_its_log_knows_the_run() {
    let ports @ [tcp, https, udp] = free_ports();
    let bed = Bed::new(&site(ports), TOKEN);
    let mut listening = listen(&bed, &["--as", "web"]);
    let report = check(&bed, Some(TOKEN));
    let ids = [
        (tcp, "tcp", format!("internet>web:{tcp}/tcp")),
        (https, "tcp", format!("internet>web:{https}/tcp")),
        (udp, "udp", format!("internet>web:{udp}/udp")),
    ];
    for (port, _, id) in &ids {
        assert_eq!(cause(&report, id), ("ok", "listener-answered"), "{id}");
        let evidence = &by_id(&report, id)["evidence"];
        assert_eq!(evidence["service"], "listener");
        assert_eq!(evidence["depth"], "end-to-end");
        let said = &evidence["listener"];
        assert_eq!(said["system"], "web");
        assert_eq!(said["accepted_at"], format!("127.0.0.1:{port}"));
        assert_eq!(
            said["seen_from"], said["sent_from"],
            "nothing is in between"
        );
        assert_eq!(said["aimed_at"], "127.0.0.1", "{id}");
        assert_eq!(said["port"], *port, "{id}");
    }
    let stopping = Instant::now();
    let (status, said) = listening.stop();
    assert!(stopping.elapsed() < Duration::from_secs(2), "it took long");
    assert_eq!(status, Some(0), "{said}");
    let log = bed.log_of(LOG);
    let run = report["vantages"][0]["run"].as_str().expect("a run");
    for (port, transport, id) in &ids {
        let local = format!("127.0.0.1:{port}");
        let arrivals = log["arrivals"].as_array().expect("arrivals");
        let proved = arrivals.iter().find(|it| {
            it["what"] == "proved" && it["local"] == local.as_str() && it["transport"] == *transport
        });
        let proved = proved.unwrap_or_else(|| panic!("{id}: {log:#}"));
        assert_eq!(proved["run"], run);
        assert_eq!(proved["aimed"], local.as_str());
    }
    assert_eq!(log["system"], "web");
    assert!(said.contains("3 proved"), "{said}");
    for text in [&said, &log.to_string(), &report.to_string()] {
        assert!(!text.contains(TOKEN), "the token is nobody's business");
    }
}

#[test]
fn it_is_the_same_over_ipv6() {
    let ports @ [tcp, https, udp] = free_ports();
    let bed = Bed::new(&site_at("::1", ports), TOKEN);
    let _listening = listen(&bed, &["--as", "web"]);
    let report = check(&bed, Some(TOKEN));
    for (port, transport) in [(tcp, "tcp"), (https, "tcp"), (udp, "udp")] {
        let id = format!("internet>web:{port}/{transport}");
        assert_eq!(cause(&report, &id), ("ok", "listener-answered"), "{id}");
        let said = &by_id(&report, &id)["evidence"]["listener"];
        assert_eq!(said["accepted_at"], format!("[::1]:{port}"));
        assert!(!is_translated(said, SOURCE), "{said:#}");
    }
}

#[test]
fn another_token_is_answered_with_silence_and_is_no_proof() {
    let ports @ [tcp, https, udp] = free_ports();
    let bed = Bed::new(&site(ports), TOKEN);
    let mut listening = listen(&bed, &["--as", "web"]);
    for token in [Some("another token altogether"), None] {
        let report = check(&bed, token);
        for id in [tcp, https].map(|port| format!("internet>web:{port}/tcp")) {
            assert_eq!(by_id(&report, &id)["evidence"]["listener"], Value::Null);
        }
        let https = cause(&report, &format!("internet>web:{https}/tcp"));
        assert_eq!(https.0, "wrong", "{https:?}");
        let udp = cause(&report, &format!("internet>web:{udp}/udp"));
        assert_eq!(udp, ("unknown", "udp-silent"));
    }
    // A stranger's own words.
    for said in [
        &b"GET / HTTP/1.0\r\n\r\n"[..],
        b"\xf0p\x9fproof",
        b"\x05\0\x0b\x03",
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", tcp)).expect("it listens");
        stream.write_all(said).expect("written");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        stream
            .read_to_end(&mut answer)
            .expect("a close in good order");
        assert!(answer.is_empty(), "{answer:?}");
    }
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback");
    let limit = Duration::from_millis(300);
    socket.set_read_timeout(Some(limit)).expect("a limit");
    for said in [&b""[..], b"hello", &[0xf0; 200], &[0; 1_000]] {
        socket.send_to(said, ("127.0.0.1", udp)).expect("sent");
        assert!(socket.recv(&mut [0; 300]).is_err(), "an answer to {said:?}");
    }
    let (_, said) = listening.stop();
    assert!(said.contains(" 0 proved"), "{said}");
    let log = bed.log_of(LOG);
    let arrivals = log["arrivals"].as_array().expect("arrivals");
    assert!(arrivals.iter().all(|it| it["what"] == "stranger") && arrivals.len() > 7);
}

#[test]
fn a_port_in_use_is_left_to_its_owner_and_said_so() {
    let ports @ [tcp, https, _] = free_ports();
    let owner = TcpListener::bind(("127.0.0.1", tcp)).expect("loopback");
    let bed = Bed::new(&site(ports), TOKEN);
    let mut listening = listen(&bed, &["--as", "web"]);
    let said = listening.said().to_string();
    assert!(said.contains(&format!("127.0.0.1:{tcp}/tcp")), "{said}");
    assert!(said.contains("in use: left to its owner"), "{said}");
    TcpStream::connect(("127.0.0.1", tcp)).expect("its owner listens");
    owner.accept().expect("its owner gets it");
    assert_eq!(listening.stop().0, Some(0));
    let log = bed.log_of(LOG);
    let state = |port: u16| {
        let ports = log["ports"].as_array().expect("ports");
        let local = format!("127.0.0.1:{port}");
        let found = ports.iter().find(|it| it["local"] == local.as_str());
        found.expect("the port")["state"].clone()
    };
    assert_eq!(
        (state(tcp), state(https)),
        ("in-use".into(), "listening".into())
    );
}

#[test]
fn where_every_port_is_in_use_there_is_nothing_to_do() {
    let ports @ [tcp, https, udp] = free_ports();
    let _owners = [tcp, https].map(|port| TcpListener::bind(("127.0.0.1", port)).expect("free"));
    let _owner = UdpSocket::bind(("127.0.0.1", udp)).expect("free");
    let bed = Bed::new(&site(ports), TOKEN);
    let (status, said) = listen_to_the_end(&bed, &["--as", "web"], Some(TOKEN));
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("no port left to listen on"), "{said}");
}

#[test]
fn it_ends_by_itself() {
    let bed = Bed::new(&site(free_ports()), TOKEN);
    let begun = Instant::now();
    let (status, said) = listen_to_the_end(&bed, &["--as", "web", "--for", "1s"], Some(TOKEN));
    let took = begun.elapsed();
    assert_eq!(status, Some(0), "{said}");
    assert!(took > Duration::from_secs(1) && took < Duration::from_secs(4));
    assert!(said.contains("listened for 1s; 0 arrivals"), "{said}");
    assert_eq!(bed.log_of(LOG)["arrivals"], Value::Array(Vec::new()));
}

#[test]
fn without_a_token_nothing_is_opened_and_the_error_says_how_to_make_one() {
    let bed = Bed::new(&site(free_ports()), "too short\n");
    let (status, said) = listen_to_the_end(&bed, &["--as", "web"], None);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("openssl rand -hex 32"), "{said}");
    let file = bed.token_file();
    let arguments = ["--as", "web", "--token-file", &file];
    let (status, said) = listen_to_the_end(&bed, &arguments, None);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("fewer than 16 characters"), "{said}");
    let site = bed.site_file();
    let arguments = ["check", &site, "--from", "internet", "--token-file", &file];
    let (status, out, err) = portproof(&arguments, None);
    assert_eq!((status, out.as_str()), (Some(2), ""), "{err}");
    for said in [said, err] {
        assert!(
            !said.contains("too short"),
            "the token is nobody's business"
        );
    }
}

#[test]
fn addresses_of_many_hosts_and_unknown_systems_are_refused() {
    let bed = Bed::new(&site(free_ports()), TOKEN);
    for (arguments, right) in [
        (
            &["--as", "web", "--address", "0.0.0.0"][..],
            "--any-address",
        ),
        (&["--as", "web", "--address", "::"], "--any-address"),
        (
            &["--as", "web", "--address", "224.0.0.251"],
            "224.0.0.251 is a multicast address",
        ),
        (
            &["--as", "web", "--address", "127.255.255.255"],
            "127.255.255.255 is the broadcast address of 127.0.0.0/8",
        ),
        (&["--as", "wbe"], "did you mean `web`?"),
        (&["--as", "web", "--for", "2 weeks"], "as in `2h`"),
    ] {
        let (status, said) = listen_to_the_end(&bed, arguments, Some(TOKEN));
        assert_eq!(status, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(right), "{arguments:?}: {said}");
        assert!(!said.contains("standing in"), "{said}");
    }
}

#[test]
fn an_address_that_this_host_does_not_have_is_refused_port_by_port() {
    let bed = Bed::new(&site(free_ports()), TOKEN);
    let arguments = ["--as", "web", "--address", "192.0.2.10"];
    let (status, said) = listen_to_the_end(&bed, &arguments, Some(TOKEN));
    assert_eq!(status, Some(2), "{said}");
    assert_eq!(said.matches("refused: ").count(), 3, "{said}");
}

/// Strangers from addresses of their own, who say one byte, hold on, and come back when they are sent away.
#[cfg(target_os = "linux")]
struct SlowStrangers {
    stop: Arc<AtomicBool>,
    came_back: Arc<AtomicUsize>,
    running: Option<std::thread::JoinHandle<()>>,
}

#[cfg(target_os = "linux")]
impl SlowStrangers {
    /// How often those who were sent away come back.
    const PAUSE: Duration = Duration::from_secs(1);

    fn at(port: u16, number: u32) -> Self {
        let mut all: Vec<TcpStream> = (0..number).map(|it| Self::come(port, it)).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let came_back = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&came_back);
        let running = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for (number, stream) in (0..).zip(&mut all) {
                    let answer = stream.read(&mut [0]);
                    if answer.is_ok() || answer.is_err_and(|it| it.kind() != ErrorKind::WouldBlock)
                    {
                        *stream = Self::come(port, number);
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                }
                std::thread::sleep(Self::PAUSE);
            }
        });
        Self {
            stop,
            came_back,
            running: Some(running),
        }
    }

    /// The first byte of a challenge, from 127.1.x.y.
    fn come(port: u16, number: u32) -> TcpStream {
        let from = Ipv4Addr::from_bits(0x7f01_0001 + number);
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let socket = socket.expect("a socket");
        let bound = socket.bind(&SocketAddr::from((from, 0)).into());
        bound.expect("an address of loopback");
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        socket.connect(&to.into()).expect("it listens");
        let mut stream = TcpStream::from(socket);
        // A place that is lost at once is a reset.
        let _ = stream.write_all(b"\xf0");
        stream.set_nonblocking(true).expect("a setting");
        stream
    }

    /// How many were sent away and came back; a busy machine has a while for more than so many.
    fn leave(mut self, wanted: usize) -> usize {
        let begun = Instant::now();
        while self.came_back.load(Ordering::Relaxed) <= wanted
            && begun.elapsed() < Duration::from_secs(20)
        {
            std::thread::sleep(Self::PAUSE);
        }
        self.stop.store(true, Ordering::Relaxed);
        let running = self.running.take().expect("running");
        running.join().expect("no panic");
        self.came_back.load(Ordering::Relaxed)
    }
}

#[cfg(target_os = "linux")]
#[test]
fn six_hundred_slow_strangers_shut_no_holder_out() {
    let ports @ [tcp, https, udp] = free_ports();
    let bed = Bed::new(&site(ports), TOKEN);
    let mut listening = listen(&bed, &["--as", "web"]);
    let strangers = SlowStrangers::at(tcp, 600);
    // The first time as a stranger among them, then as a source that has proved the token.
    for time in ["first", "second"] {
        let report = check(&bed, Some(TOKEN));
        for (port, transport) in [(tcp, "tcp"), (https, "tcp"), (udp, "udp")] {
            let id = format!("internet>web:{port}/{transport}");
            let seen = cause(&report, &id);
            assert_eq!(seen, ("ok", "listener-answered"), "{time}: {id}");
        }
    }
    assert!(strangers.leave(80) > 80, "more came than there are places");
    let (status, said) = listening.stop();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("6 proved"), "{said}");
}
