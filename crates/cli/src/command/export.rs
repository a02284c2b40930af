//! `accredit export`

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use accredit_model::Experience;
use indicatif::ProgressBar;

use crate::cli::{ExportArgs, ExportFormat};
use crate::out::{self, Out};
use crate::source::{Page, Source};
use crate::text;
use crate::{Error, Exit};

/// Actions asked for at a time.
const PAGE: usize = 500;

pub(super) fn run(source: &dyn Source, args: &ExportArgs, json: bool, out: &mut Out) -> Result<Exit, Error> {
    let ExportFormat::Jsonl = args.format;
    let mut sink = match &args.output {
        Some(path) => Sink::File(FileSink::create(path)?),
        None => Sink::Stdout(out),
    };
    let filter = args.filter.filter();
    let bar = ProgressBar::new_spinner();
    let mut cursor: Option<String> = None;
    let mut written: u64 = 0;
    loop {
        let Page { actions, next_cursor } = source.list(&filter, PAGE, cursor.as_deref())?;
        for action in actions.iter().filter(|action| action.status.closing().is_some()) {
            let experience = source.experience(action.action_id, None)?;
            if json {
                sink.text(if written == 0 { "[" } else { "," })?;
            }
            sink.experience(&experience)?;
            written += 1;
            bar.set_message(format!("{} exported", text::grouped(written)));
            bar.tick();
        }
        cursor = next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    if json {
        sink.text(if written == 0 { "[]\n" } else { "]\n" })?;
    }
    bar.finish_and_clear();
    if let Sink::File(file) = sink {
        let name = file.finish()?;
        out::note(&format!("{} written to {}", text::count(written, "experience"), name.display()));
    }
    Ok(Exit::Ok)
}

/// Where the lines go.
enum Sink<'a> {
    Stdout(&'a mut Out),
    File(FileSink),
}

struct FileSink {
    path: PathBuf,
    file: BufWriter<File>,
}

impl FileSink {
    fn create(path: &std::path::Path) -> Result<Self, Error> {
        let path = path.to_owned();
        match File::create(&path) {
            Ok(file) => Ok(Self { path, file: BufWriter::new(file) }),
            Err(source) => Err(Error::File { path, source }),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|source| Error::File { path: self.path.clone(), source })
    }

    /// Writes out what is buffered and makes it durable.
    fn finish(mut self) -> Result<PathBuf, Error> {
        let result = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        match result {
            Ok(()) => Ok(self.path),
            Err(source) => Err(Error::File { path: self.path, source }),
        }
    }
}

impl Sink<'_> {
    fn text(&mut self, text: &str) -> Result<(), Error> {
        match self {
            Self::Stdout(out) => out.text(text),
            Self::File(file) => file.write(text.as_bytes()),
        }
    }

    fn experience(&mut self, experience: &Experience) -> Result<(), Error> {
        let line = serde_json::to_string(experience).map_err(|error| Error::Output(error.into()))?;
        self.text(&line)?;
        self.text("\n")
    }
}
