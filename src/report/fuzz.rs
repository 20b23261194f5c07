//! The reading of files that came from elsewhere, under the name of its fuzz target: were these bytes recognised?
//!
//! To add one: as in `conversation::fuzz`.

use super::{
    Detail, Here, Joinable, Mixed, Named, Parts, ReportDocument, diff, diff_text, join,
    read_joinable, resume, text,
};
use crate::diagnostic::visible;
use crate::paragraph::Width;

/// Every target of this stage.
pub const TARGETS: &[crate::wire::fuzz::Target] = &[("report", report)];

/// A report or a log of arrivals: shown, joined with itself in another zone, compared with that, and gone on with.
pub fn report(bytes: &[u8]) -> bool {
    match read_joinable(bytes) {
        Err(why) => {
            assert_eq!(visible(&why), why);
            assert!(why.chars().count() < 2_000, "{why}");
            false
        }
        Ok(Joinable::Report(report)) => {
            used(&report);
            true
        }
        Ok(Joinable::Arrivals(log)) => {
            let parts = Parts {
                arrivals: vec![named("arrivals.json", *log)],
                ..Parts::default()
            };
            assert!(join(parts, Mixed::Refused).is_err());
            true
        }
    }
}

fn used(report: &ReportDocument) {
    is_plain(&text(report, Detail::Everything, Width::UNKNOWN));
    gone_on_with(report);
    let mut other = report.clone();
    other.vantages[0].zone.push_str("-2");
    let parts = Parts {
        reports: vec![named("1.json", report.clone()), named("2.json", other)],
        ..Parts::default()
    };
    // Of several vantages it is a joined one, and refused.
    if let Ok(joined) = join(parts, Mixed::Refused) {
        is_plain(&text(&joined, Detail::Everything, Width::UNKNOWN));
        assert!(joined.flows.len() <= report.flows.len());
        assert!(joined.contradictions.is_empty() || joined.flows.len() < report.flows.len());
        let changes = diff(report, &joined);
        is_plain(&changes.map_or_else(|why| why, |it| diff_text(&it, Width::UNKNOWN)));
        let written = serde_json::to_vec(&joined).unwrap_or_default();
        assert_eq!(super::read(&written), Ok(joined));
    }
}

/// In its own place, right at its end.
fn gone_on_with(report: &ReportDocument) {
    let vantage = report.vantages[0].clone();
    let Ok(now) = vantage.finished.parse() else {
        return;
    };
    let here = Here {
        site: report.site.clone(),
        vantage,
        flows: Vec::new(),
        now,
    };
    match resume(named("r.json", report.clone()), &here) {
        Err(why) => is_plain(&why),
        Ok(resumed) => {
            let first = &report.sweeps[0];
            for finished in &first.interrupted {
                let kept = resumed.kept(&first.to.system, finished.address);
                let ports = kept.ports();
                assert!(ports.windows(2).all(|two| two[0] < two[1]), "{ports:?}");
                resumed.runs(&first.to.system, ports.into_iter().collect());
            }
        }
    }
}

fn named<T>(file: &str, it: T) -> Named<T> {
    Named {
        file: file.to_string(),
        it,
    }
}

/// Fails where a text shows a control character that is not this program's own: a line's end, or a colour.
fn is_plain(text: &str) {
    let shown = anstream::adapter::strip_str(text).to_string();
    for line in shown.split('\n') {
        assert_eq!(visible(line), line);
    }
}
