//! The site file of a check: read again when it changes, and used when it is not refused.

use std::path::PathBuf;

use super::Files;

/// A site file, as it was last read.
pub(super) struct SiteFile {
    path: PathBuf,
    /// What is used.
    used: Option<Vec<u8>>,
    /// What was last read, or why it could not be.
    read: Option<Result<Vec<u8>, String>>,
    /// Why that is refused.
    refused: Option<String>,
}

/// What a look at the file found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It is as before.
    Same,
    /// It is another one, and used from now on.
    Taken,
    /// It is again what is used, after it was refused.
    Mended,
    /// It is another one, and refused. What was used is used still, if there is any.
    Refused(String),
}

impl SiteFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            used: None,
            read: None,
            refused: None,
        }
    }

    /// What is used; `None`: no version was good yet.
    pub(super) fn used(&self) -> Option<&[u8]> {
        self.used.as_deref()
    }

    /// Why there is none to use.
    pub(super) fn why_not(&self) -> String {
        let why = self.refused.as_deref().unwrap_or("it was not read yet");
        format!("no run is possible with {}: {why}", self.path.display())
    }

    /// Looks at it. `is_good` says why some bytes are refused.
    pub(super) fn look(
        &mut self,
        files: &dyn Files,
        is_good: impl FnOnce(&[u8]) -> Result<(), String>,
    ) -> Look {
        let read = files.read(&self.path);
        // What was refused may be good now: that can lie with this host, too.
        if self.read.as_ref() == Some(&read) && self.refused.is_none() {
            return Look::Same;
        }
        self.read = Some(read.clone());
        match read.and_then(|bytes| is_good(&bytes).map(|()| bytes)) {
            Ok(bytes) => self.take(bytes),
            Err(why) if self.refused.as_ref() == Some(&why) => Look::Same,
            Err(why) => {
                self.refused = Some(why.clone());
                Look::Refused(why)
            }
        }
    }

    fn take(&mut self, bytes: Vec<u8>) -> Look {
        let was_refused = self.refused.take().is_some();
        if self.used.as_ref() == Some(&bytes) {
            return match was_refused {
                true => Look::Mended,
                false => Look::Same,
            };
        }
        self.used = Some(bytes);
        Look::Taken
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use tokio::sync::watch;

    use super::*;
    use crate::alert;
    use crate::run::Scope;
    use crate::serve::{Check, Page, PageFiles, Prepared};

    /// A file that has these bytes, or none.
    struct Written(Mutex<Option<&'static str>>);

    impl Files for Written {
        fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
            let bytes = self.0.lock().expect("whole").map(Vec::from);
            bytes.ok_or_else(|| "no such file".to_string())
        }

        fn prepare(
            &self,
            _: &Check,
            _: &[u8],
            _: Scope,
            _: watch::Receiver<bool>,
        ) -> Result<Prepared, String> {
            Err("nothing runs here".to_string())
        }

        fn of_channel(&self, _: &alert::Channel) -> Result<alert::Files, String> {
            Ok(alert::Files::default())
        }

        fn of_page(&self, _: &Page) -> Result<PageFiles, String> {
            Ok(PageFiles::default())
        }
    }

    #[test]
    fn another_file_is_used_unless_it_is_refused_and_each_is_said_once() {
        let files = Written(Mutex::new(None));
        let mut file = SiteFile::new(PathBuf::from("probes.yaml"));
        let mut look = |text: Option<&'static str>| {
            *files.0.lock().expect("whole") = text;
            let is_good = |bytes: &[u8]| match bytes.starts_with(b"good") {
                true => Ok(()),
                false => Err("no site".to_string()),
            };
            let found = file.look(&files, is_good);
            (found, file.used().map(<[u8]>::to_vec))
        };
        let refused = |why: &str| Look::Refused(why.to_string());
        let (one, two) = (Some(b"good 1".to_vec()), Some(b"good 2".to_vec()));
        for (text, found, used) in [
            (None, refused("no such file"), &None),
            (None, Look::Same, &None),
            (Some("good 1"), Look::Taken, &one),
            (Some("good 1"), Look::Same, &one),
            (Some("bad"), refused("no site"), &one),
            (Some("bad"), Look::Same, &one),
            (Some("good 1"), Look::Mended, &one),
            (None, refused("no such file"), &one),
            (Some("good 2"), Look::Taken, &two),
        ] {
            assert_eq!(look(text), (found, used.clone()), "{text:?}");
        }
    }

    #[test]
    fn a_file_that_was_refused_for_a_reason_of_this_host_is_used_when_that_has_gone() {
        let files = Written(Mutex::new(Some("good 1")));
        let mut file = SiteFile::new(PathBuf::from("probes.yaml"));
        let refused = file.look(&files, |_| Err("no address yet".to_string()));
        assert_eq!(refused, Look::Refused("no address yet".to_string()));
        assert!(file.why_not().ends_with("probes.yaml: no address yet"));
        assert_eq!(file.look(&files, |_| Ok(())), Look::Taken);
        assert_eq!(
            file.look(&files, |_| Err("not asked".to_string())),
            Look::Same
        );
    }
}
