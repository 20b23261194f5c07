//! A time span in a file: milliseconds, as people read them.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer>(span: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    span.map(|span| span.as_secs_f64() * 1e3).serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Duration>, D::Error> {
    let read = |millis: f64| Duration::try_from_secs_f64(millis / 1e3).map_err(D::Error::custom);
    Option::<f64>::deserialize(from)?.map(read).transpose()
}
