//! HTTP on a port that has opened, plain or inside TLS.

use tokio::io::{AsyncRead, AsyncWrite};

use crate::conversation::http;
use crate::observation::{Depth, Observation, Service};
use crate::probe::{Prober, Question};

/// Speaks HTTP over a stream and writes down what came back.
pub(super) async fn over<S: AsyncRead + AsyncWrite + Unpin>(
    prober: &Prober,
    question: &Question,
    stream: &mut S,
    host: &str,
    seen: &mut Observation,
) -> Service {
    seen.depth = Some(Depth::Http);
    let limit = prober.limits.timeout;
    let (service, http) = http::exchange(stream, host, question.port, limit).await;
    seen.http = http;
    service
}
