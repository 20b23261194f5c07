//! A file that is being written: nobody sees it until it is whole and takes its place.
//!
//! On Linux it has no name (`O_TMPFILE`), so that an end by force, a power cut included, leaves nothing behind. The
//! file system may have no such files, or `/proc` may not be there to name one by. Then it stands in its folder as
//! `.portproof-XXXXXX.part` and goes when it is dropped.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempPath};

/// Makes a large result and writes it, part by part. It may be asked to do so again.
pub type Make<'a> = dyn Fn(&mut BufWriter<&mut dyn Write>) -> io::Result<()> + 'a;

/// How much of a result is held until it is written.
const PORTION: usize = 64 << 10;

/// Has a result made, and written in large portions.
///
/// # Errors
/// When it cannot be written, or made.
pub fn made(mut into: impl Write, make: &Make<'_>) -> io::Result<()> {
    let mut portions = BufWriter::with_capacity(PORTION, &mut into as &mut dyn Write);
    make(&mut portions)?;
    portions.flush()
}

/// A file without its name.
#[derive(Debug)]
pub struct Part {
    folder: PathBuf,
    file: File,
    /// Where it stands for now, unless it has no name.
    named: Option<TempPath>,
}

impl Part {
    /// Makes an empty one in the folder that it will stand in.
    ///
    /// # Errors
    /// When no file can be made there.
    pub fn make(folder: &Path) -> io::Result<Self> {
        if let Some(file) = platform::nameless(folder) {
            return Ok(Self {
                folder: folder.to_path_buf(),
                file,
                named: None,
            });
        }
        Self::named(folder)
    }

    fn named(folder: &Path) -> io::Result<Self> {
        let (file, path) = platform::readable(&mut builder())
            .tempfile_in(folder)?
            .into_parts();
        Ok(Self {
            folder: folder.to_path_buf(),
            file,
            named: Some(path),
        })
    }

    /// Writes all of it, and waits until the disk has it.
    ///
    /// # Errors
    /// When the disk is full, or fails.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.sync()
    }

    /// The same for what is made part by part.
    ///
    /// # Errors
    /// As [`Part::write`], and when it cannot be made.
    pub fn write_as_it_comes(&mut self, make: &Make<'_>) -> io::Result<()> {
        made(&self.file, make)?;
        self.sync()
    }

    fn sync(&self) -> io::Result<()> {
        match self.file.sync_all() {
            // Some file systems cannot say when.
            Err(error) if is_not_offered(&error) => Ok(()),
            synced => synced,
        }
    }

    /// Takes the owner and the permissions of the file whose place it will take, as far as this user may give them.
    ///
    /// # Errors
    /// When the permissions cannot be set.
    pub fn take_after(&self, earlier: &std::fs::Metadata) -> io::Result<()> {
        platform::take_after(&self.file, earlier)
    }

    /// Gives it its name, in one step, unless a file has that name already.
    ///
    /// # Errors
    /// When there is such a file, which stays as it is, or the system refuses.
    pub fn place_new(self, target: &Path) -> io::Result<()> {
        match self.named {
            Some(path) => path
                .persist_noclobber(target)
                .map_err(|error| error.error)?,
            None => platform::link(&self.file, target)?,
        }
        platform::sync_folder(&self.folder);
        Ok(())
    }

    /// Gives it its name, in one step, in the place of whatever file has that name.
    ///
    /// # Errors
    /// When the system refuses; the earlier file is then as it was, and this one is gone.
    pub fn place(self, target: &Path) -> io::Result<()> {
        let path = match self.named {
            Some(path) => path,
            None => {
                // Only a name can take the place of another.
                let link = |path: &Path| platform::link(&self.file, path);
                let named: NamedTempFile<()> = builder().make_in(&self.folder, link)?;
                named.into_temp_path()
            }
        };
        path.persist(target).map_err(|error| error.error)?;
        platform::sync_folder(&self.folder);
        Ok(())
    }
}

/// How a file is called while it has no name of its own.
fn builder() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(".portproof-").suffix(".part");
    builder
}

fn is_not_offered(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}

#[cfg(unix)]
mod platform {
    use std::fs::{File, Metadata, Permissions};
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    use std::path::Path;

    use tempfile::Builder;

    /// What a shell's `>` asks for; the user's umask takes its share.
    const READABLE: u32 = 0o666;
    /// Read, write and execute of owner, group and others.
    const ACCESS: u32 = 0o777;

    #[cfg(target_os = "linux")]
    pub(super) fn nameless(folder: &Path) -> Option<File> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut options = File::options();
        options.write(true).mode(READABLE);
        let file = options
            .custom_flags(nix::fcntl::OFlag::O_TMPFILE.bits())
            .open(folder)
            .ok()?;
        std::fs::metadata(way_to(&file)).ok()?;
        Some(file)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn nameless(_: &Path) -> Option<File> {
        None
    }

    /// Where Linux shows an open file.
    #[cfg(target_os = "linux")]
    fn way_to(file: &File) -> String {
        use std::os::fd::AsRawFd as _;
        format!("/proc/self/fd/{}", file.as_raw_fd())
    }

    #[cfg(target_os = "linux")]
    pub(super) fn link(file: &File, path: &Path) -> io::Result<()> {
        use nix::fcntl::{AT_FDCWD, AtFlags};
        let from = way_to(file);
        nix::unistd::linkat(
            AT_FDCWD,
            from.as_str(),
            AT_FDCWD,
            path,
            AtFlags::AT_SYMLINK_FOLLOW,
        )
        .map_err(io::Error::from)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn link(_: &File, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Temporary files are their owner's alone unless told otherwise; a result is as readable as any file.
    pub(super) fn readable<'a>(
        builder: &'a mut Builder<'static, 'static>,
    ) -> &'a Builder<'static, 'static> {
        builder.permissions(Permissions::from_mode(READABLE))
    }

    pub(super) fn take_after(file: &File, earlier: &Metadata) -> io::Result<()> {
        let own = file.metadata()?;
        let mut mode = earlier.mode() & ACCESS;
        if own.uid() != earlier.uid() {
            // Only root may; for all others the file is then theirs, as a copy would be.
            let _ = fchown(file, Some(earlier.uid()), None);
        }
        if own.gid() != earlier.gid() && fchown(file, None, Some(earlier.gid())).is_err() {
            // Another group gets no more than others had.
            mode = (mode & 0o707) | ((mode & 0o007) << 3);
        }
        file.set_permissions(Permissions::from_mode(mode))
    }

    /// After a power cut the name is there as well. The file has its place either way, so a refusal is no failure.
    pub(super) fn sync_folder(folder: &Path) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

#[cfg(not(unix))]
mod platform {
    use std::fs::{File, Metadata};
    use std::io;
    use std::path::Path;

    use tempfile::Builder;

    pub(super) fn nameless(_: &Path) -> Option<File> {
        None
    }

    pub(super) fn link(_: &File, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn readable<'a>(
        builder: &'a mut Builder<'static, 'static>,
    ) -> &'a Builder<'static, 'static> {
        builder
    }

    /// A file takes its permissions from its folder.
    pub(super) fn take_after(_: &File, _: &Metadata) -> io::Result<()> {
        Ok(())
    }

    /// The system keeps its folders itself.
    pub(super) fn sync_folder(_: &Path) {}
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let name = |entry: io::Result<fs::DirEntry>| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        };
        entries.map(name).collect()
    }

    #[test]
    fn a_part_takes_its_place_whole_and_leaves_nothing_beside_it() {
        for make in [Part::make, Part::named] {
            let folder = tempfile::tempdir().expect("a folder");
            let target = folder.path().join("report.json");
            for text in ["first", "second"] {
                let mut part = make(folder.path()).expect("made");
                part.write(text.as_bytes()).expect("written");
                part.place(&target).expect("placed");
                assert_eq!(fs::read_to_string(&target).expect("a file"), text);
            }
            drop(make(folder.path()).expect("made"));
            assert_eq!(names(folder.path()), ["report.json"]);
        }
    }

    #[test]
    fn a_refused_place_leaves_what_was_there() {
        for make in [Part::make, Part::named] {
            let folder = tempfile::tempdir().expect("a folder");
            let target = folder.path().join("taken");
            fs::create_dir(&target).expect("a folder");
            let mut part = make(folder.path()).expect("made");
            part.write(b"text").expect("written");
            part.place(&target).expect_err("a folder is in the way");
            assert_eq!(names(folder.path()), ["taken"]);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_part_has_no_name_where_the_file_system_can_do_that() {
        let folder = tempfile::tempdir().expect("a folder");
        let part = Part::make(folder.path()).expect("made");
        // A folder for temporary files without this would be an odd one: then this line says so.
        assert!(
            part.named.is_none(),
            "no nameless files in {}",
            folder.path().display()
        );
        assert!(names(folder.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_the_earlier_file_and_else_those_of_any_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        let plain = folder.path().join("plain");
        fs::write(&plain, "").expect("written");
        let earlier = folder.path().join("earlier");
        fs::write(&earlier, "").expect("written");
        fs::set_permissions(&earlier, fs::Permissions::from_mode(0o640)).expect("set");
        for make in [Part::make, Part::named] {
            let fresh = folder.path().join("fresh");
            make(folder.path())
                .expect("made")
                .place(&fresh)
                .expect("placed");
            assert_eq!(mode(&fresh), mode(&plain));
            let part = make(folder.path()).expect("made");
            part.take_after(&fs::metadata(&earlier).expect("a file"))
                .expect("taken");
            part.place(&earlier).expect("placed");
            assert_eq!(mode(&earlier), 0o640);
        }
    }
}
