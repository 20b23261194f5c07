//! A challenge to a listener of this program, and the answer that proves who got it, from where, and at which end.
//!
//! ```text
//! bytes      a request (check → listen)              an answer (listen → check)
//! 0..8       mark                                    the same
//! 8          version, 1                              the same
//! 9          1, or 3 for a question                  2; to a question 4 (yes) or 5 (no)
//! 10         6 (TCP) or 17 (UDP)                     the same
//! 11         0                                       0
//! 12..30     address and port that were aimed at     the same
//! 30..46     run                                     the same
//! 46..62     nonce, random for each challenge        the same
//! 62..80     0                                       where it came from, as the listener saw it
//! 80..98     0                                       where it was accepted
//! 98..162    0                                       length and name of the listener's system
//! 162..164   0                                       0
//! 164..196   HMAC-SHA256 over 0..164                 the same
//! 196..200   CR LF CR LF                             the same
//! ```
//!
//! The two directions have keys of their own, both derived from the token. So a request that comes back proves nothing.
//! An answer is bound to its request by run, nonce and aim. So another's answer proves nothing either. An answer is as
//! long as a request, never longer. Addresses are IPv6, or IPv4 mapped into it (RFC 4291, 2.5.5.2).
//!
//! A challenge asks to be proved. A question is sent the same way to a port that a listener has proved itself on. It
//! asks whether it listens on the port and transport that stand as the aim. Then the silence of that port tells
//! something.
//!
//! No known service acts on the mark. It begins no TLS record, and no HTTP, SMB, SQL, LDAP or RPC message. To a name
//! server it looks like an answer. The line ends make services that read lines refuse at once instead of waiting.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use ring::hmac::{self, HMAC_SHA256, Key};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use uuid::Uuid;
use winnow::Parser;
use winnow::binary::{be_u16, length_take, u8};
use winnow::error::EmptyError;
use winnow::token::take;

use super::message::{self, Fault, begins_like};
use crate::observation::LONGEST_NAME;
use crate::product::Transport;

/// The length of every request and answer.
pub(crate) const FRAME: usize = 200;
/// The fewest characters of a token.
pub(crate) const SHORTEST_TOKEN: usize = 16;

const MARK: [u8; 8] = *b"\xf0p\x9fproof";
const VERSION: u8 = 1;
const REQUEST: u8 = 1;
const ANSWER: u8 = 2;
const QUESTION: u8 = 3;
const YES: u8 = 4;
const NO: u8 = 5;
/// What the code covers.
const COVERED: usize = 164;
const CODE: usize = 32;
const LINE_ENDS: &[u8] = b"\r\n\r\n";

/// A secret that `listen` and `check` share.
#[derive(Clone)]
pub struct Token {
    of_requests: Key,
    of_answers: Key,
}

impl Token {
    /// A token of these characters; `None`: they are too few.
    pub fn new(text: &str) -> Option<Self> {
        (text.chars().count() >= SHORTEST_TOKEN).then(|| {
            let secret = Key::new(HMAC_SHA256, text.as_bytes());
            let derived = |label: &[u8]| Key::new(HMAC_SHA256, hmac::sign(&secret, label).as_ref());
            Self {
                of_requests: derived(b"portproof challenge 1 request"),
                of_answers: derived(b"portproof challenge 1 answer"),
            }
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(..)")
    }
}

/// Identifies one run of `check`, or one challenge of it.
pub(crate) type Id = [u8; 16];

/// An identifier as it stands in reports and logs.
pub(crate) fn hexadecimal(id: &Id) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One run of `check` that looks for listeners.
#[derive(Clone, Debug)]
pub struct Challenger {
    token: Token,
    run: Id,
}

impl Challenger {
    /// A run of its own.
    pub fn new(token: Token) -> Self {
        let run = Uuid::new_v4().into_bytes();
        Self { token, run }
    }

    /// The run, in hexadecimal.
    pub fn run(&self) -> String {
        hexadecimal(&self.run)
    }

    /// A challenge with a nonce of its own.
    pub(crate) fn challenge(&self, aim: Aim) -> Challenge<'_> {
        self.ask(Asks::Proof, aim)
    }

    /// A question whether a listener listens on the port of this aim.
    pub(crate) fn question(&self, aim: Aim) -> Challenge<'_> {
        self.ask(Asks::Listening, aim)
    }

    fn ask(&self, asks: Asks, aim: Aim) -> Challenge<'_> {
        let request = Request {
            asks,
            aim,
            run: self.run,
            nonce: Uuid::new_v4().into_bytes(),
        };
        Challenge {
            token: &self.token,
            request,
        }
    }
}

/// What a challenge was aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aim {
    pub(crate) transport: Transport,
    /// `::` where only a proxy knows it.
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Proof that it came.
    Proof,
    /// Whether the port that it names is listened on.
    Listening,
}

/// What a listener says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// It came.
    Came,
    /// The port is listened on.
    Listening,
    /// The port is not listened on.
    NotListening,
}

/// A challenge that waits for its answer.
#[derive(Debug)]
pub(crate) struct Challenge<'a> {
    token: &'a Token,
    request: Request,
}

/// A challenge as a listener reads it: whoever sent it knows the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) asks: Asks,
    pub(crate) aim: Aim,
    pub(crate) run: Id,
    pub(crate) nonce: Id,
}

/// What a listener says of a challenge that it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    /// The system that it stands in for.
    pub(crate) system: String,
    /// Where the challenge came from, as the listener saw it.
    pub(crate) seen_from: SocketAddr,
    /// The listener's own end.
    pub(crate) accepted_at: SocketAddr,
}

impl Challenge<'_> {
    /// The bytes to send.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let kind = match self.request.asks {
            Asks::Proof => REQUEST,
            Asks::Listening => QUESTION,
        };
        sealed(head(kind, &self.request), &self.token.of_requests)
    }

    /// Reads the proof that came back; `None`: it proves nothing.
    pub(crate) fn read(&self, bytes: &[u8]) -> Option<Proof> {
        self.read_as(ANSWER, bytes)
    }

    /// Whether what came back says that the port of a question is listened on.
    pub(crate) fn is_yes(&self, bytes: &[u8]) -> bool {
        self.read_as(YES, bytes).is_some()
    }

    fn read_as(&self, kind: u8, bytes: &[u8]) -> Option<Proof> {
        let covered = genuine(bytes, &self.token.of_answers)?;
        let (rest, (is, aim, run, nonce)) = parse.parse_peek(covered).ok()?;
        let proof = proof.parse_peek(rest).ok()?.1?;
        let asked = &self.request;
        let is_its = (aim, run, nonce) == (asked.aim, asked.run, asked.nonce);
        (is == kind && is_its).then_some(proof)
    }
}

/// Sends a challenge over a stream and takes what comes back, as far as it has the form of an answer.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    challenge: &Challenge<'_>,
    limit: Duration,
) -> Option<Vec<u8>> {
    let deadline = Instant::now() + limit;
    message::send(stream, "challenge", &challenge.bytes(), deadline).await;
    message::receive(stream, "answer to a challenge", frame, deadline)
        .await
        .ok()
}

/// Reads the challenge that a stream begins with.
///
/// # Errors
/// What came in its place: a fault of the stream, or bytes that do not prove the token.
pub(crate) async fn receive<S: AsyncRead + Unpin>(
    stream: &mut S,
    token: &Token,
    deadline: Instant,
) -> Result<Request, Fault> {
    let bytes = message::receive(stream, "challenge", frame, deadline).await?;
    read(token, &bytes).ok_or(Fault::Foreign)
}

/// Sends the answer to a challenge over the stream that it came on.
pub(crate) async fn reply<S: AsyncWrite + Unpin>(stream: &mut S, answer: &[u8], deadline: Instant) {
    message::send(stream, "answer to a challenge", answer, deadline).await;
}

/// Reads a challenge; `None`: whoever sent it does not know the token.
pub(crate) fn read(token: &Token, bytes: &[u8]) -> Option<Request> {
    let covered = genuine(bytes, &token.of_requests)?;
    let (_, (kind, aim, run, nonce)) = parse.parse_peek(covered).ok()?;
    let asks = match kind {
        REQUEST => Asks::Proof,
        QUESTION => Asks::Listening,
        _ => return None,
    };
    Some(Request {
        asks,
        aim,
        run,
        nonce,
    })
}

/// The answer to a challenge or question.
pub(crate) fn answer(token: &Token, request: &Request, says: Says, proof: &Proof) -> Vec<u8> {
    let kind = match says {
        Says::Came => ANSWER,
        Says::Listening => YES,
        Says::NotListening => NO,
    };
    let mut bytes = head(kind, request);
    put_address(&mut bytes, proof.seen_from.ip(), proof.seen_from.port());
    put_address(&mut bytes, proof.accepted_at.ip(), proof.accepted_at.port());
    let name = shortened(&proof.system);
    bytes.push(u8::try_from(name.len()).unwrap_or_default());
    bytes.extend(name.as_bytes());
    sealed(bytes, &token.of_answers)
}

/// As much of a system's name as an answer holds.
fn shortened(name: &str) -> &str {
    let mut end = name.len().min(LONGEST_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// How long a message is; `None`: these bytes begin none of ours.
fn frame(bytes: &[u8]) -> Option<usize> {
    begins_like(bytes, &MARK).then_some(FRAME)
}

fn head(kind: u8, request: &Request) -> Vec<u8> {
    let mut bytes = MARK.to_vec();
    bytes.extend([VERSION, kind, number(request.aim.transport), 0]);
    put_address(&mut bytes, request.aim.address, request.aim.port);
    bytes.extend(request.run);
    bytes.extend(request.nonce);
    bytes
}

fn put_address(bytes: &mut Vec<u8>, address: IpAddr, port: u16) {
    let address = match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    bytes.extend(address.octets());
    bytes.extend(port.to_be_bytes());
}

/// Fills up and adds the code.
fn sealed(mut bytes: Vec<u8>, key: &Key) -> Vec<u8> {
    bytes.resize(COVERED, 0);
    let code = hmac::sign(key, &bytes);
    bytes.extend(code.as_ref());
    bytes.extend(LINE_ENDS);
    bytes
}

/// What the code covers; `None`: it is not that of this key, or the length is another.
fn genuine<'a>(bytes: &'a [u8], key: &Key) -> Option<&'a [u8]> {
    let whole: &[u8; FRAME] = bytes.try_into().ok()?;
    let covered = whole.get(..COVERED)?;
    let code = whole.get(COVERED..COVERED + CODE)?;
    hmac::verify(key, covered, code).ok()?;
    bytes.get(..COVERED)
}

/// The protocol's number in IP.
fn number(transport: Transport) -> u8 {
    match transport {
        Transport::Tcp => 6,
        Transport::Udp => 17,
        Transport::Esp => 50,
    }
}

/// What all messages begin with: kind, aim, run, nonce.
fn parse(input: &mut &[u8]) -> Result<(u8, Aim, Id, Id), EmptyError> {
    let (kind, transport) = (take(8_usize), u8, u8, u8, u8)
        .verify_map(|(mark, version, kind, transport, _)| {
            let ours = mark == MARK && version == VERSION;
            let mut known = [Transport::Tcp, Transport::Udp].into_iter();
            let transport = known.find(|it| ours && number(*it) == transport)?;
            Some((kind, transport))
        })
        .parse_next(input)?;
    let (aimed, run, nonce) = (socket_address, id, id).parse_next(input)?;
    let aim = Aim {
        transport,
        address: aimed.ip(),
        port: aimed.port(),
    };
    Ok((kind, aim, run, nonce))
}

fn id(input: &mut &[u8]) -> Result<Id, EmptyError> {
    take(16_usize)
        .try_map(|bytes: &[u8]| bytes.try_into())
        .parse_next(input)
}

fn socket_address(input: &mut &[u8]) -> Result<SocketAddr, EmptyError> {
    let (octets, port) = (id, be_u16).parse_next(input)?;
    Ok(SocketAddr::new(Ipv6Addr::from(octets).to_canonical(), port))
}

fn proof(input: &mut &[u8]) -> Result<Option<Proof>, EmptyError> {
    let (seen_from, accepted_at, name): (_, _, &[u8]) =
        (socket_address, socket_address, length_take(u8)).parse_next(input)?;
    let system = std::str::from_utf8(name).ok();
    Ok(system.map(|system| Proof {
        system: system.to_string(),
        seen_from,
        accepted_at,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn token() -> Token {
        Token::new("a token of this length").expect("long enough")
    }

    fn aim(port: u16) -> Aim {
        Aim {
            transport: Transport::Tcp,
            address: "203.0.113.10".parse().expect("an address"),
            port,
        }
    }

    fn witnessed() -> Proof {
        Proof {
            system: "ibs01".to_string(),
            seen_from: "198.51.100.1:40123".parse().expect("an address"),
            accepted_at: "[2001:db8::10]:443".parse().expect("an address"),
        }
    }

    #[test]
    fn a_listener_with_the_token_proves_what_it_saw() {
        let challenger = Challenger::new(token());
        let challenge = challenger.challenge(aim(443));
        let request = read(&token(), &challenge.bytes()).expect("the token is the same");
        assert_eq!(request.aim, aim(443));
        assert_eq!(hexadecimal(&request.run), challenger.run());
        let bytes = answer(&token(), &request, Says::Came, &witnessed());
        assert_eq!(challenge.read(&bytes), Some(witnessed()));
        assert_eq!((bytes.len(), challenge.bytes().len()), (FRAME, FRAME));
    }

    #[test]
    fn a_stranger_is_not_read_and_proves_nothing() {
        let other = Token::new("another token altogether").expect("long enough");
        let challenger = Challenger::new(token());
        let challenge = challenger.challenge(aim(443));
        assert_eq!(read(&other, &challenge.bytes()), None);
        let request = read(&token(), &challenge.bytes()).expect("ours");
        assert_eq!(
            challenge.read(&answer(&other, &request, Says::Came, &witnessed())),
            None
        );
        assert!(Token::new("too short").is_none());
        assert_eq!(format!("{:?}", token()), "Token(..)");
    }

    #[test]
    fn reflections_and_answers_to_other_challenges_prove_nothing() {
        let challenger = Challenger::new(token());
        let challenge = challenger.challenge(aim(443));
        assert_eq!(challenge.read(&challenge.bytes()), None, "a reflection");
        let answered = |other: &Challenge<'_>| {
            let request = read(&token(), &other.bytes()).expect("ours");
            answer(&token(), &request, Says::Came, &witnessed())
        };
        let same_run = challenger.challenge(aim(443));
        assert_eq!(challenge.read(&answered(&same_run)), None, "another nonce");
        let other_run = Challenger::new(token());
        let other_run = other_run.challenge(aim(443));
        assert_eq!(challenge.read(&answered(&other_run)), None, "another run");
        let mut request = read(&token(), &challenge.bytes()).expect("ours");
        request.aim.port = 80;
        let other_port = answer(&token(), &request, Says::Came, &witnessed());
        assert_eq!(challenge.read(&other_port), None, "another port");
        request.aim = Aim {
            transport: Transport::Udp,
            ..aim(443)
        };
        let other_transport = answer(&token(), &request, Says::Came, &witnessed());
        assert_eq!(challenge.read(&other_transport), None, "another transport");
    }

    #[test]
    fn a_question_is_no_challenge_and_only_yes_is_yes() {
        let challenger = Challenger::new(token());
        let question = challenger.question(aim(2_000));
        let request = read(&token(), &question.bytes()).expect("ours");
        assert_eq!(request.asks, Asks::Listening);
        let said = |says| answer(&token(), &request, says, &witnessed());
        assert!(question.is_yes(&said(Says::Listening)));
        assert!(!question.is_yes(&said(Says::NotListening)));
        assert!(!question.is_yes(&said(Says::Came)));
        assert_eq!(question.read(&said(Says::Listening)), None);
    }

    #[test]
    fn every_changed_byte_breaks_the_proof() {
        let challenger = Challenger::new(token());
        let challenge = challenger.challenge(aim(443));
        let request = read(&token(), &challenge.bytes()).expect("ours");
        let good = answer(&token(), &request, Says::Came, &witnessed());
        for place in 0..COVERED + CODE {
            let (mut changed, mut asked) = (good.clone(), challenge.bytes());
            changed[place] ^= 1;
            asked[place] ^= 1;
            assert_eq!(challenge.read(&changed), None, "byte {place}");
            assert_eq!(read(&token(), &asked), None, "byte {place}");
        }
        assert_eq!(challenge.read(&good[..FRAME - 1]), None);
    }

    #[test]
    fn a_long_name_is_cut_and_compared_cut() {
        let long = "n".repeat(200);
        let challenger = Challenger::new(token());
        let challenge = challenger.challenge(aim(443));
        let request = read(&token(), &challenge.bytes()).expect("ours");
        let of_long = Proof {
            system: long.clone(),
            ..witnessed()
        };
        let proof = challenge.read(&answer(&token(), &request, Says::Came, &of_long));
        assert_eq!(proof.expect("a proof").system, shortened(&long));
    }

    #[tokio::test]
    async fn what_is_no_answer_ends_the_exchange_at_its_first_byte() {
        let challenger = Challenger::new(token());
        let (mut near, mut far) = duplex(1_024);
        far.write_all(b"HTTP/1.1 400").await.expect("written");
        let challenge = challenger.challenge(aim(80));
        let limit = Duration::from_secs(60);
        assert_eq!(exchange(&mut near, &challenge, limit).await, None);
        let mut sent = [0; FRAME];
        far.read_exact(&mut sent).await.expect("the challenge");
        assert!(read(&token(), &sent).is_some());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, whole: [[u8; 20]; 10]) {
            let challenger = Challenger::new(token());
            let challenge = challenger.challenge(aim(443));
            for bytes in [&bytes, &whole.concat()] {
                prop_assert!(read(&token(), bytes).is_none());
                prop_assert!(challenge.read(bytes).is_none());
            }
            // Behind the code, which no fuzzer guesses.
            let _ = parse.parse_peek(&bytes);
            let _ = proof.parse_peek(&bytes);
        }
    }
}
