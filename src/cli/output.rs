//! Where a result goes: standard output, or a file that is whole at every moment.
//!
//! A file is made beside its target before anything is tried. So a wrong folder is refused at once and not after the
//! run. [`Part`] leaves nothing behind when the run is ended by force. When the result is there it is written, synced,
//! and put in the place of the earlier file in one step. A reader sees the earlier file or this one, never half of one.
//! When that fails all the same (a full disk, a refused rename), the result goes to standard output, and the command
//! fails with status 2. Nobody takes the earlier file for the result, and the result is not lost.
//!
//! A link is followed, as a shell does. What is no file is written to straight: a terminal, a pipe, `/dev/null`. `-` and
//! `/dev/stdout` are standard output.
//!
//! # A signed result is two files, and no system renames two at once
//!
//! Whichever goes first, there is a moment between the two. So the new signature first stands in a third file, and
//! `--verify` accepts either of the two signatures. Each is proved by arithmetic, so a wrong pair is never accepted.
//!
//! | step | FILE | FILE.sig | FILE.sig.next | a fitting pair |
//! |---|---|---|---|---|
//! | before | earlier | earlier | | FILE.sig |
//! | 1 | earlier | earlier | new | FILE.sig |
//! | 2 | new | earlier | new | FILE.sig.next |
//! | 3 | new | new | | FILE.sig |
//!
//! A run that ends between 2 and 3 leaves a pair that fits by FILE.sig.next. The next one first finishes that step
//! (`settle`). Were it to begin with its own step 1, the report that is there would lose its signature until step 2.
//!
//! A result that is not signed takes the place of the earlier one, and an earlier signature then goes: it fits nothing.

use std::borrow::Cow;
use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use terminal_size::terminal_size_of;

use super::named::{self, Kind};
use super::signing::{next_signature_of, signature_of};
use super::streams::{print, print_as_it_comes, say};
use crate::os::{Make, Part, made};
use crate::paragraph::Width;
use crate::report::{SIGNATURE_LENGTH, SigningKey};

/// How many links lead on, before they are taken for a circle. Linux follows as many.
const MOST_LINKS: usize = 40;

/// What is said when a result is not where it belongs.
const TO_STANDARD_OUTPUT: &str =
    "the result went to standard output, because its file could not be written";

/// Where a result goes, open before there is one.
pub(super) enum Output {
    /// Standard output.
    Standard,
    /// What is no file: it is written to as it comes.
    Straight { path: PathBuf, file: File },
    /// A file that takes its place at the end.
    File(Unplaced),
    /// The same, with a signature beside it.
    Signed {
        report: Unplaced,
        signature: Part,
        key: SigningKey,
    },
}

/// A file beside its target.
pub(super) struct Unplaced {
    /// As the user named it.
    named: PathBuf,
    /// What stands there for real.
    target: PathBuf,
    part: Part,
    /// Whether no file may stand there yet.
    is_new: bool,
}

impl Output {
    /// Opens where the result of a command goes.
    ///
    /// # Errors
    /// When it cannot be written to, in words that name the path.
    pub(super) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Standard);
        };
        open(path).with_context(|| format!("the result cannot be written to {}", path.display()))
    }

    /// Opens a file that a user goes on to edit: one that stands there is replaced only where that was asked for.
    ///
    /// # Errors
    /// As [`Output::open`]; also when there is such a file.
    pub(super) fn open_new(path: &Path, overwrite: bool) -> anyhow::Result<Self> {
        let mut output = Self::open(Some(path))?;
        if let (Self::File(file), false) = (&mut output, overwrite) {
            ensure!(
                fs::symlink_metadata(&file.target).is_err(),
                "{} is there already, and stays as it is; name another file, or add --overwrite",
                path.display()
            );
            file.is_new = true;
        }
        Ok(output)
    }

    /// Opens where a result goes that is signed when there is a key.
    ///
    /// # Errors
    /// As [`Output::open`]; also when the signature cannot stand beside it.
    pub(super) fn open_signed(
        path: Option<&Path>,
        key: Option<SigningKey>,
    ) -> anyhow::Result<Self> {
        let output = Self::open(path)?;
        let Some(key) = key else {
            return Ok(output);
        };
        let Self::File(report) = output else {
            bail!("--sign writes a signature beside the result: name a file with --output");
        };
        let beside = signature_of(&report.named);
        let signature = Part::make(folder_of(&beside))
            .with_context(|| format!("the signature cannot be written to {}", beside.display()))?;
        Ok(Self::Signed {
            report,
            signature,
            key,
        })
    }

    /// How wide its lines are best: as the terminal, where it is one.
    pub(super) fn width(&self) -> Width {
        let size = match self {
            Self::Standard => terminal_size_of(io::stdout()),
            Self::Straight { file, .. } => terminal_size_of(file),
            Self::File(_) | Self::Signed { .. } => None,
        };
        size.map_or(Width::UNKNOWN, |(columns, _)| Width::of_terminal(columns.0))
    }

    /// Puts the result there. When that fails, it goes to standard output.
    ///
    /// # Errors
    /// When it does not stand where it was to stand.
    pub(super) fn write(self, text: &str) -> anyhow::Result<()> {
        let file_text = || without_colours(text);
        let failed = match self {
            Self::Standard => return print(text),
            Self::Straight { path, file } => straight(&path, file, &file_text()),
            Self::File(report) => report.place(file_text().as_bytes()),
            Self::Signed {
                report,
                signature,
                key,
            } => {
                return place_signed(report, signature, &key, text, file_text().as_bytes());
            }
        };
        or_print(failed, text)
    }

    /// Puts a large result there as it is made, part by part. When that fails, it is made once more, to standard output.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub(super) fn write_as_it_comes(self, make: &Make<'_>) -> anyhow::Result<()> {
        let failed = match self {
            Self::Standard => return print_as_it_comes(make),
            Self::Straight { path, file } => {
                made(file, make).with_context(|| format!("writing {}", path.display()))
            }
            Self::File(mut report) => report
                .part
                .write_as_it_comes(make)
                .and_then(|()| report.part.place(&report.target))
                .with_context(|| format!("writing {}", report.named.display())),
            Self::Signed { .. } => bail!("what is written as it comes is not signed"),
        };
        let Err(error) = failed else {
            return Ok(());
        };
        print_as_it_comes(make).with_context(|| format!("{error:#}; and the result is lost"))?;
        Err(error.context(TO_STANDARD_OUTPUT))
    }

    /// Whether a signature goes with it.
    pub(super) fn is_signed(&self) -> bool {
        matches!(self, Self::Signed { .. })
    }

    /// The same for a result of a command that can sign: an earlier signature that fits no more goes.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub(super) fn write_report(self, text: &str) -> anyhow::Result<()> {
        self.and_without_signature(|output| output.write(text))
    }

    /// The same of a report that is made part by part.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub(super) fn write_report_as_it_comes(self, make: &Make<'_>) -> anyhow::Result<()> {
        self.and_without_signature(|output| output.write_as_it_comes(make))
    }

    fn and_without_signature(
        self,
        write: impl FnOnce(Self) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let unsigned = match &self {
            Self::File(report) => Some(report.named.clone()),
            Self::Standard | Self::Straight { .. } | Self::Signed { .. } => None,
        };
        write(self)?;
        if let Some(report) = unsigned {
            remove_signature(&signature_of(&report));
            remove_signature(&next_signature_of(&report));
        }
        Ok(())
    }
}

/// A text as it stands in files. Most have no colours, and a large report is not copied for nothing.
fn without_colours(text: &str) -> Cow<'_, str> {
    match text.contains('\u{1b}') {
        true => anstream::adapter::strip_str(text).to_string().into(),
        false => text.into(),
    }
}

/// What could not be written where it belongs goes to standard output.
pub(super) fn or_print(failed: anyhow::Result<()>, text: &str) -> anyhow::Result<()> {
    let Err(error) = failed else {
        return Ok(());
    };
    print(text).with_context(|| format!("{error:#}; and the result is lost"))?;
    Err(error.context(TO_STANDARD_OUTPUT))
}

fn open(path: &Path) -> anyhow::Result<Output> {
    let Some(target) = follow(path)? else {
        return Ok(Output::Standard);
    };
    // Of a file behind a link, and of what a link of `/proc` stands for.
    let there = match fs::metadata(&target) {
        Ok(there) => Some(there),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    match &there {
        Some(there) if there.is_dir() => bail!("it is a folder; name a file in it"),
        Some(there) if !there.is_file() || is_open_file(&target) => {
            return straight_to(path, there);
        }
        _ if is_device(&target) => {
            let file = File::options().write(true).open(&target)?;
            return Ok(Output::Straight {
                path: path.to_path_buf(),
                file,
            });
        }
        _ => {}
    }
    beside(path, target, there.as_ref()).map(Output::File)
}

/// A file beside its target.
fn beside(named: &Path, target: PathBuf, earlier: Option<&Metadata>) -> anyhow::Result<Unplaced> {
    let folder = folder_of(&target);
    ensure!(
        folder.is_dir(),
        "there is no folder {}; make it first",
        folder.display()
    );
    ensure!(
        target.file_name().is_some() && !ends_as_folder(named),
        "that is the name of a folder; name a file"
    );
    if earlier.is_some() {
        // A file that this user may not change is not replaced either.
        File::options().write(true).open(&target)?;
    }
    let part = Part::make(folder)
        .with_context(|| format!("no file can be made in the folder {}", folder.display()))?;
    if let Some(earlier) = earlier {
        part.take_after(earlier)?;
    }
    Ok(Unplaced {
        named: named.to_path_buf(),
        target,
        part,
        is_new: false,
    })
}

impl Unplaced {
    fn place(mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let place = match self.is_new {
            true => Part::place_new,
            false => Part::place,
        };
        let placed = self
            .part
            .write(bytes)
            .and_then(|()| place(self.part, &self.target));
        placed.with_context(|| format!("writing {}", self.named.display()))
    }
}

/// Puts a text in the place of a file that is replaced again and again, such as a log.
///
/// # Errors
/// As [`Output::write`], but nothing goes to standard output.
pub(super) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    match Output::open(Some(path))? {
        Output::File(file) => file.place(text.as_bytes()),
        Output::Straight { path, file } => straight(&path, file, text),
        Output::Standard | Output::Signed { .. } => print(text),
    }
}

fn straight(path: &Path, mut file: File, text: &str) -> anyhow::Result<()> {
    let written = file.write_all(text.as_bytes()).and_then(|()| file.flush());
    written.with_context(|| format!("writing {}", path.display()))
}

#[cfg(unix)]
fn straight_to(path: &Path, there: &Metadata) -> anyhow::Result<Output> {
    use std::os::unix::fs::FileTypeExt as _;
    ensure!(!there.file_type().is_block_device(), "it is a disk");
    // A pipe is open when somebody reads it, as with a shell's `>`.
    let file = File::options().append(true).open(path)?;
    Ok(Output::Straight {
        path: path.to_path_buf(),
        file,
    })
}

#[cfg(not(unix))]
fn straight_to(path: &Path, _: &Metadata) -> anyhow::Result<Output> {
    let file = File::options().write(true).open(path)?;
    Ok(Output::Straight {
        path: path.to_path_buf(),
        file,
    })
}

/// Whether a name is one of a device that stands in no folder.
#[cfg(windows)]
fn is_device(path: &Path) -> bool {
    const DEVICES: [&str; 4] = ["NUL", "CON", "CONOUT$", "PRN"];
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    DEVICES
        .iter()
        .any(|device| name.eq_ignore_ascii_case(device))
}

/// Devices stand in folders here.
#[cfg(not(windows))]
fn is_device(_: &Path) -> bool {
    false
}

/// What stands there behind links; `None`: this program's own standard output.
///
/// A link of `/proc/PID/fd` is no path to follow: what it stands for may have no path, or another file may have it now.
fn follow(path: &Path) -> anyhow::Result<Option<PathBuf>> {
    let mut at = path.to_path_buf();
    for _ in 0..=MOST_LINKS {
        if is_standard_output(&at) {
            return Ok(None);
        }
        let is_link = fs::symlink_metadata(&at).is_ok_and(|there| there.is_symlink());
        if !is_link || is_open_file(&at) {
            return Ok(Some(at));
        }
        at = folder_of(&at).join(fs::read_link(&at)?);
    }
    bail!("its links lead in a circle")
}

/// `/dev/stdout` and `/dev/fd/1` lead here.
fn is_standard_output(path: &Path) -> bool {
    cfg!(unix)
        && ["/proc/self/fd/1", "/dev/fd/1", "/dev/stdout"]
            .iter()
            .any(|it| path == Path::new(it))
}

/// A file that is open already, by its number.
fn is_open_file(path: &Path) -> bool {
    let folder = path.parent().unwrap_or(path);
    cfg!(unix)
        && (folder == Path::new("/dev/fd")
            || (folder.starts_with("/proc") && folder.ends_with("fd")))
}

fn ends_as_folder(path: &Path) -> bool {
    path.as_os_str()
        .to_string_lossy()
        .ends_with(['/', std::path::MAIN_SEPARATOR])
}

/// The folder that a path stands in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Puts a report and its signature there, in the order of the table above.
fn place_signed(
    mut report: Unplaced,
    mut signature: Part,
    key: &SigningKey,
    text: &str,
    bytes: &[u8],
) -> anyhow::Result<()> {
    let named = report.named.clone();
    let (beside, next) = (signature_of(&named), next_signature_of(&named));
    let written = report.part.write(bytes);
    let written = written.with_context(|| format!("writing {}", named.display()));
    let waiting = written.and_then(|()| {
        settle(&named, key)?;
        let written = signature.write(&key.sign(bytes));
        written
            .and_then(|()| signature.place(&next))
            .with_context(|| format!("writing {}", next.display()))
    });
    let placed = waiting.and_then(|()| {
        let placed = report.part.place(&report.target);
        if placed.is_err() {
            // Nothing that it could fit is coming.
            let _ = fs::remove_file(&next);
        }
        placed.with_context(|| format!("writing {}", named.display()))
    });
    if placed.is_err() {
        return or_print(placed, text);
    }
    fs::rename(&next, &beside).with_context(|| {
        format!(
            "{} is written, and its signature stands in {} because it cannot be put in its place",
            named.display(),
            next.display()
        )
    })
}

/// Puts the signature in its place that a run which ended early left waiting, if the report that is there is that run's.
fn settle(report: &Path, key: &SigningKey) -> anyhow::Result<()> {
    let next = next_signature_of(report);
    let Ok(waiting) = named::read(&next, Kind::Signature) else {
        return Ok(());
    };
    // A signature of this kind is the same each time, so the private key can tell whether it fits.
    let fits = named::read(report, Kind::Report)
        .is_ok_and(|report| key.sign(&report.bytes) == waiting.bytes);
    if fits {
        let beside = signature_of(report);
        fs::rename(&next, &beside)
            .with_context(|| format!("putting {} in its place", next.display()))?;
    }
    Ok(())
}

/// Removes the signature of an earlier report.
fn remove_signature(path: &Path) {
    let is_one = fs::symlink_metadata(path)
        .is_ok_and(|there| there.is_file() && there.len() == SIGNATURE_LENGTH as u64);
    if is_one && fs::remove_file(path).is_ok() {
        say!(
            "note: {} was the signature of the earlier report, and is removed; --sign KEY signs \
             this one",
            path.display()
        );
    }
}
