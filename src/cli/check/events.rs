//! What a run tells, on standard error: sentences and a bar.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::attribution::DOORS;
use crate::cli::log;
use crate::cli::streams::say;
use crate::diagnostic::visible;
use crate::probe::{LOSS_SAMPLES, MOST_RPC_PORTS, MOST_TRIES, SOURCE_PORTS, SPACING};
use crate::run::{AboutToTry, Event, Leaving, Stage};

/// Shows events as they come.
pub(super) struct Events {
    bar: ProgressBar,
}

impl Events {
    pub(super) fn new() -> Self {
        Self { bar: bar() }
    }

    pub(super) fn show(&self, event: &Event) {
        match event {
            Event::Begun(tries) => self.bar.set_length(*tries as u64),
            Event::Answered => self.bar.inc(1),
            Event::Stage(stage) => self.bar.set_message(doing(*stage)),
            Event::Done => self.bar.finish_and_clear(),
            told => self.bar.suspend(|| say!("{}", sentence(told))),
        }
    }
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() || log::is_on() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} ports, {elapsed} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::no_length().with_style(style)
}

fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::Asking => "trying every port",
        Stage::ProvingSilence => "making silence proof",
        Stage::LookingAgain => "looking again at what failed",
        Stage::LookingCloser => "looking closer",
        Stage::TryingOnceMore => "trying what failed once more, so late that a short outage shows",
        Stage::FetchingLists => "fetching revocation lists",
        Stage::Sweeping => "sweeping ports beside the plan",
        Stage::AskingAgain => "asking whether what answered still does",
    }
}

fn sentence(event: &Event) -> String {
    match event {
        Event::LabStands { silent: true } => {
            "lab: a stand-in of probes.yaml on loopback".to_string()
        }
        Event::LabStands { silent: false } => {
            "lab: a stand-in of probes.yaml on loopback; this platform has no silent listener, so \
             silent ports are not connected to at all"
                .to_string()
        }
        Event::FewerAtOnce { probes, asked } => format!(
            "note: {probes} probes at once instead of {asked}: this host allows no more descriptors"
        ),
        Event::NumberOfNoFile { port, protocol } => format!(
            "note: no site file has the number {port} for {}; it is tried all the same",
            protocol.to_uppercase()
        ),
        Event::GoesOn { file, until, ports } => format!(
            "goes on with the sweep of {}, which ended at {until}: {ports} ports are finished and are \
             not tried again",
            visible(file)
        ),
        Event::AboutToTry(it) => about_to_try(it),
        Event::AboutToFetchIssuers(urls) => format!(
            "about to fetch certificates that servers do not send: {}",
            urls.join(", ")
        ),
        Event::AboutToFetchLists {
            what,
            count,
            hosts,
            proxy,
        } => {
            let through = match proxy {
                Some(url) => format!(", through the proxy {url}"),
                None => String::new(),
            };
            let hosts = hosts.join(", ");
            format!("about to fetch {what}: {count}, from {hosts}{through}")
        }
        Event::Begun(_) | Event::Answered | Event::Stage(_) | Event::Done => String::new(),
    }
}

/// What is about to be sent, to whom, and how fast.
fn about_to_try(it: &AboutToTry) -> String {
    let swept = match it.swept {
        Some(ports) => {
            format!(", and then sweep up to {ports} ports of each system that has an address")
        }
        None => String::new(),
    };
    let rate = match it.rate {
        Some(rate) => format!("at most {rate} connection attempts a second"),
        None => "no rate limit".to_string(),
    };
    let listeners = match it.listeners {
        true => {
            "; each port that opens is asked for a listener of portproof, with 200 bytes on a \
             connection of its own; each UDP port, with a datagram"
        }
        false => "",
    };
    let web = match it.web_requests {
        Some(most) => format!(
            "; a web server that the site needs is asked for its roles, and for verbs and headers, \
             in at most {most} requests"
        ),
        None => String::new(),
    };
    let takes = it.takes.map(|takes| format!(", about {}", rounded(takes)));
    let gentle = match it.gentle {
        true => format!(
            "\n  gently: on a system that serves others no device that watches for scans may be \
             set off, so a forbidden port is tried every {} seconds; --no-gentle lifts this",
            SPACING.as_secs()
        ),
        false => String::new(),
    };
    format!(
        "about to try {} ports of {} addresses{swept}, {rate}{}\n  {}{listeners}{web}{gentle}",
        it.ports,
        it.addresses,
        takes.unwrap_or_default(),
        how(it)
    )
}

/// A time as it is said beforehand.
fn rounded(time: Duration) -> String {
    match time.as_secs() + 1 {
        seconds @ ..100 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

fn how(it: &AboutToTry) -> String {
    match &it.leaving {
        Leaving::ToTheLab => "nothing leaves this host".to_string(),
        Leaving::Directly => extras(it),
        Leaving::PartlyByProxy { url, roles } => format!(
            "what leads to {} through the proxy {url}, the rest direct: {}",
            roles.join(", "),
            extras(it)
        ),
        Leaving::ByProxy { url, sweep } => {
            let swept = match sweep {
                true => "; nothing is swept through a proxy",
                false => "",
            };
            format!("all of it through the proxy {url}, and nothing else to any of them{swept}")
        }
    }
}

/// What is sent besides one try of each port.
fn extras(it: &AboutToTry) -> String {
    let walks = match it.walks {
        true => "; up to 14 paths to each host are traced",
        false => "",
    };
    let doors = match it.gentle {
        true => String::new(),
        false => format!("{DOORS} to {} ports that nobody uses, and ", 2 * DOORS),
    };
    format!(
        "each silent port is tried up to {MOST_TRIES} times; each required port that opens, from \
         {SOURCE_PORTS} source ports; on each host that answers, {doors}one port up to \
         {LOSS_SAMPLES} times to measure losses; of the ports that an RPC mapper names, up to \
         {MOST_RPC_PORTS}{walks}"
    )
}
