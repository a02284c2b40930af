//! Experiences as lines of a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use accredit_model::Experience;

use super::Sink;

/// Appends one JSON line an experience and makes each batch durable.
pub(super) struct JsonlSink {
    path: PathBuf,
}

impl JsonlSink {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        open_file(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Opens the file anew for each batch: one that was moved away or deleted must not go on taking lines.
    fn append(&self, batch: &[Experience]) -> io::Result<()> {
        let mut file = open_file(&self.path)?;
        let mut lines = Vec::new();
        for experience in batch {
            serde_json::to_writer(&mut lines, experience)?;
            lines.push(b'\n');
        }
        let end = file.seek(SeekFrom::End(0))?;
        let written = file.write_all(&lines).and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line must not stay before the next attempt's; should this fail too, reopening cuts it.
            file.set_len(end)?;
        }
        written
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
    cut_torn_line(&mut file)?;
    Ok(file)
}

/// A crash may leave the beginning of a line, which was never acknowledged and comes again whole.
fn cut_torn_line(file: &mut File) -> io::Result<()> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut buffer = [0; 4096];
    while end > 0 {
        let n = usize::try_from(end.min(4096)).unwrap_or(4096);
        let start = end - n as u64;
        file.seek(SeekFrom::Start(start))?;
        let Some(part) = buffer.get_mut(..n) else { break };
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    file.set_len(end)
}

impl Sink for JsonlSink {
    fn batch_max(&self) -> usize {
        16
    }

    fn deliver(&mut self, batch: &[Experience]) -> Vec<Result<(), String>> {
        let result = self.append(batch).map_err(|error| error.to_string());
        vec![result; batch.len()]
    }
}
