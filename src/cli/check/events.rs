//! What a run tells, on standard error: sentences, and how far it is, as a bar or in lines.

use std::io::{self, IsTerminal as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use terminal_size::terminal_size_of;

use crate::attribution::DOORS;
use crate::cli::log;
use crate::cli::streams::say;
use crate::diagnostic::visible;
use crate::paragraph::{Page, Width};
use crate::probe::{LOSS_SAMPLES, MOST_RPC_PORTS, MOST_TRIES, SOURCE_PORTS, SPACING};
use crate::run::{AboutToTry, Event, Leaving, Progress, Stage};

/// How often it is told how far the run is, where there is no bar.
const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// The length of the bar: thousandths of the run.
const WHOLE: u64 = 1_000;

/// Shows events as they come.
pub(super) struct Events {
    way: Way,
}

/// How it is shown how far the run is.
enum Way {
    /// On a terminal.
    Bar(ProgressBar),
    /// Anywhere else, with the time of the run at which the next line is due.
    Lines(Mutex<Duration>),
}

impl Events {
    pub(super) fn new() -> Self {
        Self { way: way() }
    }

    pub(super) fn show(&self, event: &Event) {
        match (event, &self.way) {
            (Event::Begun(_) | Event::Answered | Event::Stage(_), _) => {}
            (Event::Progress(progress), Way::Bar(bar)) => {
                bar.set_message(far(progress));
                bar.set_position(u64::from(progress.done));
            }
            (Event::Progress(progress), Way::Lines(due)) => {
                let mut due = due.lock().unwrap_or_else(PoisonError::into_inner);
                if is_due(&mut due, progress.took) {
                    say!("progress: {}", far(progress));
                }
            }
            (Event::Done, Way::Bar(bar)) => bar.finish_and_clear(),
            (Event::Done, Way::Lines(_)) => {}
            (told, Way::Bar(bar)) => bar.suspend(|| say!("{}", fitting(&sentence(told)))),
            (told, Way::Lines(_)) => say!("{}", fitting(&sentence(told))),
        }
    }
}

/// A bar, where it can be drawn again and again and no log stands between.
fn way() -> Way {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if !io::stderr().is_terminal() || is_dumb || log::is_on() {
        return Way::Lines(Mutex::new(BETWEEN_LINES));
    }
    let style = ProgressStyle::with_template("{bar:30} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    Way::Bar(ProgressBar::new(WHOLE).with_style(style))
}

/// A sentence in lines that fit into the terminal; as it is, where nobody sits there.
fn fitting(sentence: &str) -> String {
    let Some((columns, _)) = terminal_size_of(io::stderr()) else {
        return sentence.to_string();
    };
    let mut page = Page::new(Width::of_terminal(columns.0));
    for line in sentence.lines() {
        let words = line.trim_start();
        page.paragraph(line.len() - words.len(), words);
    }
    page.into_text()
}

/// Whether a line is due after so long; then the next one is due at the next full distance.
fn is_due(due: &mut Duration, took: Duration) -> bool {
    let is_due = took >= *due;
    while *due <= took {
        *due += BETWEEN_LINES;
    }
    is_due
}

/// How far the run is, in words.
fn far(progress: &Progress) -> String {
    let Progress {
        stage,
        done,
        took,
        left,
    } = progress;
    let whole = *took + *left;
    format!(
        "{} % done in {} s, about {} s left of {} s: {}",
        done / 10,
        took.as_secs(),
        left.as_secs().max(1),
        whole.as_secs(),
        doing(*stage)
    )
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
        Event::LabStands { silent: true } => "lab: a stand-in of the site on loopback".to_string(),
        Event::LabStands { silent: false } => {
            "lab: a stand-in of the site on loopback; this platform has no silent listener, so \
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
        Event::Begun(_) | Event::Answered | Event::Stage(_) | Event::Progress(_) | Event::Done => {
            String::new()
        }
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
    let takes = it
        .takes
        .map(|takes| format!(", about {}, less where closed ports answer", rounded(takes)));
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
    match time.as_secs().saturating_add(1) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_every_ten_seconds_however_late_one_was() {
        let mut due = BETWEEN_LINES;
        let halves = (0..130).map(|half| Duration::from_millis(half * 500));
        let said: Vec<u64> = halves
            .filter(|took| !(41..49).contains(&took.as_secs()))
            .filter(|took| is_due(&mut due, *took))
            .map(|took| took.as_secs())
            .collect();
        assert_eq!(said, [10, 20, 30, 40, 50, 60]);
        assert!(
            is_due(&mut due, Duration::from_secs(95)),
            "two were left out"
        );
        assert!(!is_due(&mut due, Duration::from_secs(99)));
    }

    #[test]
    fn how_far_a_run_is_has_what_is_done_left_and_expected_in_seconds() {
        let progress = Progress {
            stage: Stage::ProvingSilence,
            done: 437,
            took: Duration::from_millis(20_400),
            left: Duration::from_millis(26_700),
        };
        assert_eq!(
            far(&progress),
            "43 % done in 20 s, about 26 s left of 47 s: making silence proof"
        );
    }
}
