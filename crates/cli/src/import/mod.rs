//! `accredit import`: files of other programs become commands.
//!
//! Three formats: native NDJSON of commands, tau-bench results, and lists of chat messages as OpenAI writes them. Every
//! action gets an id and every entry a key that follow from the content, so importing a file twice, or again after it was
//! interrupted, stores everything once.
//!
//! Limits: a line of JSON has at most [`LINE_BYTES_MAX`] bytes. NDJSON and JSON arrays are read as a stream, item by
//! item; only a file that is one single object or one message list is held in memory.

mod detect;
mod identity;
mod loader;
mod messages;
mod openai;
mod read;
mod step;
mod summary;
mod tau_bench;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use accredit_model::{Command, Refusal, RefusalReason};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::cli::{ImportArgs, ImportFormat};
use crate::out::Out;
use crate::source::Source;
use crate::{Error, Exit};
use detect::{Head, Layout};
use loader::Loader;
#[cfg(test)]
pub(crate) use step::{READ_VERBS, WRITE_VERBS};
pub(crate) use step::{is_error, plain, readable};
use summary::Place;

/// Longest line of JSON that is read; a longer one is refused.
pub(crate) const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a file says of itself only through its name, and what the command line says of all files.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The name shown in messages and kept in the attributes.
    pub(crate) file: String,
    /// `--agent`.
    pub(crate) agent: Option<String>,
    /// `--type`.
    pub(crate) action_type: Option<String>,
}

impl Origin {
    /// The file's name without folder and ending; `None` for standard input.
    pub(crate) fn stem(&self) -> Option<&str> {
        if self.file == "-" { None } else { Path::new(&self.file).file_stem()?.to_str() }
    }
}

/// Finds what is wrong with the names of the files before a store is opened, or made, for nothing.
pub(crate) fn check(args: &ImportArgs) -> Result<(), Error> {
    for path in args.files.iter().filter(|path| *path != Path::new("-")) {
        File::open(path).map_err(|source| Error::File { path: path.clone(), source })?;
    }
    Ok(())
}

/// Imports the files one after another and prints what became of them.
pub(crate) fn run(source: &dyn Source, args: &ImportArgs, json: bool, out: &mut Out) -> Result<Exit, Error> {
    let mut loader = Loader::new(source);
    for path in &args.files {
        import_file(&mut loader, path, args)?;
        loader.flush()?;
    }
    let summary = loader.into_summary();
    if json {
        out.json(&summary)?;
    } else {
        out.text(&summary.page(&source.place()))?;
    }
    Ok(if summary.refused == 0 { Exit::Ok } else { Exit::Problems })
}

fn import_file(loader: &mut Loader<'_>, path: &Path, args: &ImportArgs) -> Result<(), Error> {
    let in_file = |source: io::Error| Error::File { path: path.to_owned(), source };
    let (input, bytes): (Box<dyn Read>, Option<u64>) = if path == Path::new("-") {
        (Box::new(io::stdin().lock()), None)
    } else {
        let file = File::open(path).map_err(in_file)?;
        let bytes = file.metadata().map_err(in_file)?;
        (Box::new(file), bytes.is_file().then_some(bytes.len()))
    };
    let bar = progress(path, bytes);
    let mut input = bar.wrap_read(input);
    let head = Head::read(&mut input).map_err(in_file)?;
    let file = if bytes.is_none() { "standard input".to_owned() } else { path.display().to_string() };
    let (format, layout) = detect::decide(&head, args.format).map_err(|tried| Error::Format { file, tried })?;
    let name = if bytes.is_none() { "-".into() } else { path.file_name().unwrap_or_default().to_string_lossy() };
    let origin = Origin { file: name.into_owned(), agent: args.agent.clone(), action_type: args.action_type.clone() };
    let mut import = OneFile { loader, origin: &origin, name: origin.file.as_str().into(), format, path };
    let result = import.items(&mut head.chain(input), layout);
    bar.finish_and_clear();
    result
}

/// One file on its way into the loader.
struct OneFile<'a, 'b> {
    loader: &'a mut Loader<'b>,
    origin: &'a Origin,
    name: Rc<str>,
    format: ImportFormat,
    path: &'a Path,
}

impl OneFile<'_, '_> {
    fn items(&mut self, input: &mut dyn Read, layout: Layout) -> Result<(), Error> {
        let path: PathBuf = self.path.to_owned();
        let in_file = |source: io::Error| Error::File { path: path.clone(), source };
        match layout {
            Layout::Lines => read::lines(input, &mut |number, line| self.line(number, line)).map_err(in_file)?,
            Layout::Array => read::array(input, &mut |number, item| self.item(Place::item(&self.name, number), item))
                .map_err(in_file)?,
            Layout::Whole => {
                let item = read::whole(input).map_err(in_file)?;
                self.item(Place::item(&self.name, 1), item)
            }
        }
    }

    fn line(&mut self, number: u64, line: Result<&str, Refusal>) -> Result<(), Error> {
        let place = Place::line(&self.name, number);
        let text = match line {
            Ok(text) => text,
            Err(refusal) => return self.loader.push(place, Err(refusal), 0),
        };
        if self.format == ImportFormat::Native {
            let command = Command::from_json(text).map_err(Refusal::from);
            let command = command.map(|command| identity::keyed(command, number, text));
            return self.loader.push(place, command, text.len());
        }
        let item = serde_json::from_str(text).map_err(|error| read::malformed(&error));
        self.item(place, item)
    }

    /// One conversation: one action.
    fn item(&mut self, place: Place, item: Result<Value, Refusal>) -> Result<(), Error> {
        let commands = item.and_then(|item| match self.format {
            ImportFormat::TauBench => tau_bench::commands(&item, self.origin),
            _ => openai::commands(&item, self.origin),
        });
        match commands {
            Ok(commands) => {
                for (command, bytes) in commands {
                    self.loader.push(place.clone(), Ok(command), bytes)?;
                }
                Ok(())
            }
            Err(refusal) => self.loader.push(place, Err(refusal), 0),
        }
    }
}

/// A bar on standard error; invisible where that is no terminal.
fn progress(path: &Path, bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match bytes {
        Some(bytes) => (ProgressBar::new(bytes), "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}"),
        None => (ProgressBar::no_length(), "{msg} {spinner} {bytes} {bytes_per_sec}"),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    bar.with_style(style).with_message(name)
}

/// Content that is JSON but not what the format says.
fn unusable(detail: impl Into<String>) -> Refusal {
    Refusal::new(RefusalReason::Malformed, detail)
}
