//! What a run tells while it lasts.

use std::sync::Arc;
use std::time::Duration;

use crate::observation::SentFor;

/// What is about to happen, or has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The lab stands. `silent`: its silent ports are silent for real; else they are not connected to at all.
    LabStands {
        /// Whether this platform can be silent for real.
        silent: bool,
    },
    /// Fewer probes are under way at once than the site file asks for: this host allows no more descriptors.
    FewerAtOnce {
        /// How many are.
        probes: usize,
        /// How many the file asks for.
        asked: usize,
    },
    /// A client was given a number that no site file has.
    NumberOfNoFile {
        /// The number.
        port: u16,
        /// `http` or `https`.
        protocol: &'static str,
    },
    /// An interrupted sweep is gone on with.
    GoesOn {
        /// The report that it is of.
        file: String,
        /// When that run ended, RFC 3339.
        until: String,
        /// Ports of addresses that it finished.
        ports: usize,
    },
    /// The first packet is about to leave.
    AboutToTry(AboutToTry),
    /// Certificates that servers do not send are about to be fetched from these addresses.
    AboutToFetchIssuers(Vec<String>),
    /// Revocation lists, or what they name, are about to be fetched.
    AboutToFetchLists {
        /// What they are, in words.
        what: &'static str,
        /// How many.
        count: usize,
        /// The hosts with their ports.
        hosts: Vec<String>,
        /// The URL of the proxy that they are fetched through.
        proxy: Option<String>,
    },
    /// The first of so many tries begins.
    Begun(usize),
    /// One more of them has come to its end.
    Answered,
    /// What is done next.
    Stage(Stage),
    /// How far the run is; told twice a second.
    Progress(Progress),
    /// All is done.
    Done,
}

/// What is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutToTry {
    /// Ports.
    pub ports: usize,
    /// Addresses, or names that a proxy is told.
    pub addresses: usize,
    /// The most connection attempts a second.
    pub rate: Option<u32>,
    /// The most ports of each system that are swept afterwards.
    pub swept: Option<usize>,
    /// Which way it goes.
    pub leaving: Leaving,
    /// Whether paths are walked.
    pub walks: bool,
    /// Whether nothing may set off a device that watches for scans.
    pub gentle: bool,
    /// About how long the run takes, where forbidden ports are silent; less where they answer. `None`: nothing limits it.
    pub takes: Option<Duration>,
    /// Whether ports are asked for listeners of this program.
    pub listeners: bool,
    /// The most requests to one web server.
    pub web_requests: Option<usize>,
}

/// Which way packets go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// To the lab: none leaves this host.
    ToTheLab,
    /// To the systems themselves.
    Directly,
    /// All of them through a proxy. `sweep`: a sweep was asked for, and is left out.
    ByProxy {
        /// Its URL, without the user.
        url: String,
        /// Whether a sweep was asked for.
        sweep: bool,
    },
    /// Those to some roles through a proxy, the others to the systems themselves.
    PartlyByProxy {
        /// Its URL, without the user.
        url: String,
        /// The roles.
        roles: Vec<&'static str>,
    },
}

/// How far a run is, as far as it can be foreseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it does now.
    pub stage: Stage,
    /// Thousandths that are done. They never go back, and are never all while anything is left.
    pub done: u16,
    /// How long it has taken.
    pub took: Duration,
    /// About how long it still takes: a second at the least.
    pub left: Duration,
}

/// What a run does, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// All flows of the plan are tried for the first time.
    Asking,
    /// Silent ports are tried until their silence is proof.
    ProvingSilence,
    /// What failed is looked at again.
    LookingAgain,
    /// Who refused, and where packets are dropped.
    LookingCloser,
    /// What failed is tried once more, so late that a short outage shows.
    TryingOnceMore,
    /// Revocation lists are fetched.
    FetchingLists,
    /// Ports beside the plan are tried.
    Sweeping,
    /// Ports that answered are asked whether they still do.
    AskingAgain,
}

impl Stage {
    /// All of them, in their order.
    pub(super) const ALL: [Self; 8] = [
        Self::Asking,
        Self::ProvingSilence,
        Self::LookingAgain,
        Self::LookingCloser,
        Self::TryingOnceMore,
        Self::FetchingLists,
        Self::Sweeping,
        Self::AskingAgain,
    ];

    /// What packets are sent for meanwhile. The first tries begin with those of needed flows.
    pub(super) fn sends_for(self) -> SentFor {
        match self {
            Self::Asking => SentFor::Needed,
            Self::ProvingSilence => SentFor::Silence,
            Self::LookingAgain | Self::TryingOnceMore => SentFor::SecondLooks,
            Self::LookingCloser => SentFor::CloserLooks,
            Self::FetchingLists => SentFor::Lists,
            Self::Sweeping => SentFor::Sweep,
            Self::AskingAgain => SentFor::Controls,
        }
    }
}

/// Who is told of events.
pub type Tell = Arc<dyn Fn(Event) + Send + Sync>;
