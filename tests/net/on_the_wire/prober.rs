//! What a socket without privileges meets: this same program once more, as nobody, in the prober's namespace.
//!
//! The questions come as JSON on standard input, the answers go to standard output. Everything is tried twice: with a
//! plain socket that waits in `connect`, as any program does, and with portproof's own `os::connect`. Limits come last.

use std::fs;
use std::io::{self, IoSliceMut, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use nix::libc;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, recvmsg, setsockopt, sockopt,
};
use portproof::observation::{Prohibition, Trouble};
use portproof::os::{self, Connection, Manner};
use serde::{Deserialize, Serialize};
use socket2::{Domain, Socket, Type};
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

/// Says that this process is the prober.
pub(crate) const PROBER: &str = "PORTPROOF_ON_THE_WIRE";
/// What stands before the answers.
const MARK: &str = "answers: ";

/// What is silent for so long is called silent.
const LIMIT: Duration = Duration::from_secs(5);
/// A router sends at most 50 ICMP messages at once and 1,000 a second, to all together.
const PACE: Duration = Duration::from_millis(5);
/// Between the two rounds: a search for a dead host that the last packets of the first began is over then.
const ROUNDS: Duration = Duration::from_secs(2);
/// How long a connection is left half open before its ports are used again.
const HALF: Duration = Duration::from_millis(200);

const BURST: usize = 20;
/// Half a second more than the last answer of one a second needs.
const STEADY: Duration = Duration::from_millis(3_500);
const EVERY: Duration = Duration::from_millis(40);
/// At the end, packets with long pauses.
const SPACED: usize = 3;
const PAUSE: Duration = Duration::from_millis(2_100);
/// Shorter than the second after which the system repeats a packet.
const SHORT: Duration = Duration::from_millis(800);
/// Longer than the second after which the system repeats a packet.
const REPEATED: Duration = Duration::from_millis(1_500);
/// Between the beginnings of two rows, so that their bursts do not meet.
const APART: Duration = Duration::from_millis(150);

/// One thing to connect to.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub(crate) to: SocketAddr,
    /// How many hops the packets may go.
    pub(crate) hops: Option<u8>,
    /// The source port of the plain socket; portproof's has the next one.
    pub(crate) local_port: Option<u16>,
    /// Whether a connection from the same port was left half open just before.
    pub(crate) half_open: bool,
    /// Whether as many packets as are counted at once have run out of hops just before.
    pub(crate) expired: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Asks {
    pub(crate) shapes: Vec<Ask>,
    pub(crate) limits: Vec<Ask>,
    pub(crate) counted: Vec<Ask>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) plain: Vec<Plain>,
    pub(crate) own: Vec<Own>,
    pub(crate) limits: Vec<Counted>,
    /// Whether the counter of packets that could not be sent again grew.
    pub(crate) grew: Vec<bool>,
}

/// How `connect` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    Succeeds,
    Fails(i32),
    Silence,
}

/// What a plain socket met.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plain {
    pub(crate) end: End,
    pub(crate) took: Duration,
    pub(crate) queue: Option<Message>,
}

/// An entry of the error queue.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) icmp_type: u8,
    pub(crate) code: u8,
    pub(crate) by: Option<IpAddr>,
}

/// What portproof's socket read, and when.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Own {
    pub(crate) reads: String,
    pub(crate) took: Duration,
}

/// How many were answered.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Counted {
    /// Of the burst.
    pub(crate) at_once: usize,
    /// How long it took to send the burst, and what was sent before it.
    pub(crate) span: Duration,
    /// Of those that followed.
    pub(crate) then: usize,
    /// How many followed.
    pub(crate) of: usize,
    /// In how long.
    pub(crate) lasted: Duration,
    /// Of those with long pauses.
    pub(crate) later: usize,
}

pub(crate) fn is_this_process() -> bool {
    std::env::var_os(PROBER).is_some()
}

/// The answers in what a prober printed.
pub(crate) fn read(printed: &str) -> Option<Told> {
    let answers = printed.lines().find_map(|line| line.strip_prefix(MARK))?;
    serde_json::from_str(answers).ok()
}

/// Answers the questions on standard input.
pub(crate) fn answer() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).expect("questions");
    let asks: Asks = serde_json::from_str(&text).expect("questions in JSON");
    os::raise_descriptor_limit();
    let runtime = Runtime::new().expect("a runtime");
    let plain = all_plain(&runtime, &asks.shapes);
    thread::sleep(ROUNDS);
    let told = Told {
        plain,
        own: runtime.block_on(all_own(asks.shapes)),
        limits: runtime.block_on(all_limits(asks.limits)),
        grew: runtime.block_on(all_counters(&asks.counted)),
    };
    let told = serde_json::to_string(&told).expect("answers");
    // The name of the test stands in the line before.
    let line = format!("\n{MARK}{told}\n");
    io::stdout().write_all(line.as_bytes()).expect("printed");
}

fn all_plain(runtime: &Runtime, asks: &[Ask]) -> Vec<Plain> {
    thread::scope(|scope| {
        let running: Vec<_> = asks
            .iter()
            .map(|ask| {
                thread::sleep(PACE);
                scope.spawn(move || {
                    if let Some(port) = ask.local_port.filter(|_| ask.half_open) {
                        runtime.block_on(leave_half_open(ask.to, port));
                    }
                    plain(ask).unwrap_or_else(|error| panic!("{ask:?}: {error}"))
                })
            })
            .collect();
        let ended = running.into_iter().map(|one| one.join().expect("no panic"));
        ended.collect()
    })
}

/// Connects as any program does, and looks into the error queue afterwards.
fn plain(ask: &Ask) -> io::Result<Plain> {
    let v4 = ask.to.is_ipv4();
    let socket = Socket::new(Domain::for_address(ask.to), Type::STREAM, None)?;
    if v4 {
        setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?;
    } else {
        setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?;
    }
    match ask.hops {
        Some(hops) if v4 => socket.set_ttl_v4(hops.into())?,
        Some(hops) => socket.set_unicast_hops_v6(hops.into())?,
        None => {}
    }
    if let Some(port) = ask.local_port {
        let any = match ask.to {
            SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::new(any, port).into())?;
    }
    // This bounds `connect` too, which then fails with EINPROGRESS (socket(7), SO_SNDTIMEO).
    socket.set_write_timeout(Some(LIMIT))?;
    let begun = Instant::now();
    let end = match socket
        .connect(&ask.to.into())
        .map_err(|it| it.raw_os_error())
    {
        Ok(()) => End::Succeeds,
        Err(Some(libc::EINPROGRESS)) => End::Silence,
        Err(Some(number)) => End::Fails(number),
        Err(None) => return Err(io::Error::other("no error number")),
    };
    Ok(Plain {
        end,
        took: begun.elapsed(),
        queue: queue(&socket, v4),
    })
}

/// The first entry of the error queue.
fn queue(socket: &Socket, v4: bool) -> Option<Message> {
    let (fd, mut payload) = (socket.as_raw_fd(), [0_u8; 512]);
    let mut into = [IoSliceMut::new(&mut payload)];
    let mut control = nix::cmsg_space!([u8; 256]);
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let entries: Vec<ControlMessageOwned> = if v4 {
        let message = recvmsg::<SockaddrIn>(fd, &mut into, Some(&mut control), flags).ok()?;
        message.cmsgs().ok()?.collect()
    } else {
        let message = recvmsg::<SockaddrIn6>(fd, &mut into, Some(&mut control), flags).ok()?;
        message.cmsgs().ok()?.collect()
    };
    entries.into_iter().find_map(|entry| {
        let (error, by) = match entry {
            ControlMessageOwned::Ipv4RecvErr(error, by) => {
                let by = by.map(|it| u32::from_be(it.sin_addr.s_addr));
                (error, by.map(|it| Ipv4Addr::from(it).into()))
            }
            ControlMessageOwned::Ipv6RecvErr(error, by) => {
                (error, by.map(|it| IpAddr::from(it.sin6_addr.s6_addr)))
            }
            _ => return None,
        };
        Some(Message {
            icmp_type: error.ee_type,
            code: error.ee_code,
            by,
        })
    })
}

/// Leaves a connection half open at the other end: its answer is passed over, because its TTL is below the bound.
async fn leave_half_open(to: SocketAddr, port: u16) {
    let deaf = Manner {
        least_ttl: Some(u8::MAX),
        local_port: Some(port),
        ..Manner::default()
    };
    let ended = timeout(HALF, os::connect(to, deaf, |_| {})).await;
    assert!(
        ended.is_err(),
        "{to} answered from this very network: {ended:?}"
    );
}

async fn all_own(asks: Vec<Ask>) -> Vec<Own> {
    let mut running = Vec::new();
    for ask in asks {
        sleep(PACE).await;
        running.push(tokio::spawn(own(ask)));
    }
    let ended = join_all(running).await.into_iter();
    ended.map(|one| one.expect("no panic")).collect()
}

/// Connects as portproof does.
async fn own(ask: Ask) -> Own {
    let manner = Manner {
        hops: ask.hops,
        local_port: ask.local_port.map(|port| port + 1),
        ..Manner::default()
    };
    if let Some(port) = manner.local_port.filter(|_| ask.half_open) {
        leave_half_open(ask.to, port).await;
    }
    let begun = Instant::now();
    let ended = timeout(LIMIT, os::connect(ask.to, manner, |_| {})).await;
    Own {
        reads: match ended {
            Ok(connection) => word(&connection),
            Err(_) => "silent",
        }
        .into(),
        took: begun.elapsed(),
    }
}

/// What portproof calls it. Causes have these names where there is one (docs/verdicts.md).
fn word(connection: &Connection) -> &'static str {
    match connection {
        Connection::Open(_) => "open",
        Connection::ResetAfterAccept { .. } => "open, then reset",
        Connection::Reset { .. } => "reset",
        Connection::Rejected { rejection, .. } => match rejection.says {
            Prohibition::AdminProhibited => "admin-prohibited",
            Prohibition::PortUnreachable => "port-unreachable",
            Prohibition::HostUnreachable => "host-unreachable",
            Prohibition::NetUnreachable => "net-unreachable",
            Prohibition::RouteRejects => "route-rejects",
            Prohibition::TimeExceeded => "time-exceeded",
            Prohibition::Other => "rejected",
        },
        Connection::Trouble(Trouble::NoRoute) => "no-route",
        Connection::Trouble(Trouble::GatewaySilent) => "gateway-silent",
        Connection::Trouble(Trouble::NoDescriptors) => "no-descriptors",
        Connection::Trouble(Trouble::Refused) => "refused-here",
    }
}

async fn all_limits(asks: Vec<Ask>) -> Vec<Counted> {
    let mut running = Vec::new();
    for ask in asks {
        running.push(tokio::spawn(counted(ask)));
        sleep(APART).await;
    }
    let ended = join_all(running).await.into_iter();
    ended.map(|one| one.expect("no panic")).collect()
}

/// Sends a burst, then one packet after the other, then a few with long pauses.
async fn counted(ask: Ask) -> Counted {
    let started = Instant::now();
    if ask.expired {
        let hops = Some(1);
        tokio::spawn(join_all(
            (0..BURST).map(move |_| is_answered(Ask { hops, ..ask })),
        ));
        // They have left then; whether they are answered makes no difference.
        sleep(EVERY).await;
    }
    let burst = tokio::spawn(join_all((0..BURST).map(move |_| is_answered(ask))));
    let begun = Instant::now();
    let mut following = Vec::new();
    while begun.elapsed() < STEADY {
        sleep(EVERY).await;
        following.push(tokio::spawn(is_answered(ask)));
    }
    let lasted = begun.elapsed();
    let mut later = 0;
    for _ in 0..SPACED {
        sleep(PAUSE).await;
        later += usize::from(is_answered(ask).await.0);
    }
    let burst = burst.await.expect("no panic");
    let last = burst.iter().map(|(_, began)| *began - started).max();
    let following = join_all(following).await.into_iter();
    let following: Vec<bool> = following.map(|one| one.expect("no panic").0).collect();
    Counted {
        at_once: burst.iter().filter(|(answered, _)| *answered).count(),
        span: last.unwrap_or_default(),
        then: following.iter().filter(|answered| **answered).count(),
        of: following.len(),
        lasted,
        later,
    }
}

/// Whether one packet is answered, and when it left.
async fn is_answered(ask: Ask) -> (bool, Instant) {
    let manner = Manner {
        hops: ask.hops,
        ..Manner::default()
    };
    let began = Instant::now();
    let ended = timeout(SHORT, os::connect(ask.to, manner, |_| {})).await;
    (ended.is_ok(), began)
}

/// One after the other: the counter is this whole system's.
async fn all_counters(asks: &[Ask]) -> Vec<bool> {
    let mut grew = Vec::new();
    for ask in asks {
        let before = not_sent_again();
        let ended = timeout(REPEATED, os::connect(ask.to, Manner::default(), |_| {})).await;
        assert!(ended.is_err(), "{ask:?} was answered: {ended:?}");
        grew.push(not_sent_again() > before);
    }
    grew
}

/// `TCPRetransFail` of `/proc/net/netstat`, which has a line of names and one of numbers.
fn not_sent_again() -> u64 {
    let text = fs::read_to_string("/proc/net/netstat").expect("Linux");
    let lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let lines: Vec<Vec<&str>> = lines.map(|line| line.split(' ').collect()).collect();
    let place = lines[0].iter().position(|name| *name == "TCPRetransFail");
    let number = lines[1][place.expect("the counter")];
    number.parse().expect("a number")
}
