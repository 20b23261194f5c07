//! Reports as they are kept: a tenth of their size.

use std::io::{BufWriter, Read as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::database::Error;
use crate::report::{self, ReportDocument};

/// The largest report that is read back: what is larger is none of this program's.
const LARGEST: u64 = 1 << 30;

/// What is packed at a time: JSON comes in words, and a call for each would take longer than packing.
const PORTION: usize = 1 << 16;

pub(super) fn pack(report: &ReportDocument) -> Result<Vec<u8>, Error> {
    let packer = DeflateEncoder::new(Vec::new(), Compression::default());
    let mut words = BufWriter::with_capacity(PORTION, packer);
    let packed = serde_json::to_writer(&mut words, report)
        .map_err(std::io::Error::from)
        .and_then(|()| words.into_inner().map_err(std::io::Error::from))
        .and_then(DeflateEncoder::finish);
    packed.map_err(|why| Error::Says(format!("its report cannot be packed: {why}")))
}

pub(super) fn unpack(packed: &[u8]) -> Result<ReportDocument, String> {
    let mut bytes = Vec::new();
    let mut unpacked = DeflateDecoder::new(packed).take(LARGEST);
    match unpacked.read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 == LARGEST => Err("it is too large".to_string()),
        Ok(_) => report::read(&bytes),
        Err(why) => Err(why.to_string()),
    }
}

/// A value as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, Error> {
    let text = serde_json::to_string(value);
    text.map_err(|why| Error::Says(format!("a part of it cannot be written: {why}")))
}
