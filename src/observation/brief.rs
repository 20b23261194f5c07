//! An observation in one line, for the log.

use std::fmt;

use super::Observation;

/// What was seen, as far as it is there, in brackets. What others wrote is escaped, as `Debug` escapes text.
pub(crate) struct Brief<'a>(pub(crate) &'a Observation);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = self.0;
        write!(formatter, "[state={:?}", seen.state)?;
        let mut tell = |name: &str, value: Option<&dyn fmt::Debug>| match value {
            Some(value) => write!(formatter, " {name}={value:?}"),
            None => Ok(()),
        };
        tell("address", of(&seen.address))?;
        tell("service", of(&seen.service))?;
        tell("depth", of(&seen.depth))?;
        tell("confidence", of(&seen.confidence))?;
        tell("source_ports", of(&seen.source_ports))?;
        tell("painted", of(&seen.painted))?;
        tell("dead_by", of(&seen.dead_by))?;
        tell("rpc_range", of(&seen.rpc_range))?;
        let tls = seen.tls.as_ref();
        tell("tls", of(&tls.and_then(|tls| tls.version.as_ref())))?;
        tell("own_certificate", of(&tls.map(|tls| &tls.presented)))?;
        tell("http", of(&seen.http.as_ref().map(|http| http.status)))?;
        let listener = seen.listener.as_ref();
        tell("listener", of(&listener.map(|it| &it.system)))?;
        write!(formatter, " tries={}]", seen.attempts.len())
    }
}

fn of<T: fmt::Debug>(value: &Option<T>) -> Option<&dyn fmt::Debug> {
    value.as_ref().map(|value| value as &dyn fmt::Debug)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Service, State};

    #[test]
    fn what_a_server_said_can_neither_end_the_line_nor_colour_it() {
        let mut seen = Observation::without_packets(None, State::Open);
        seen.service = Some(Service::TlsAlert("a\nb\u{1b}[31mc\u{202e}".to_string()));
        let told = Brief(&seen).to_string();
        assert_eq!(
            told,
            r#"[state=Open service=TlsAlert("a\nb\u{1b}[31mc\u{202e}") tries=0]"#
        );
    }
}
