//! One writer's folder of segments.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::segment::{self, HEAD};

/// A segment that has reached this size is followed by another; it is deleted when all in it has been sent.
const SEGMENT_BYTES_MAX: u64 = 8 << 20;
/// Commands and bytes that are read at once.
const READ_COMMANDS_MAX: usize = 1_024;
const READ_BYTES_MAX: u64 = 4 << 20;

const POSITION: &str = "position";
const HEAD_BYTES: u64 = HEAD.len() as u64;

/// Up to where has been sent. Losing it costs sending again what had been sent.
#[derive(Serialize, Deserialize)]
struct Position {
    accredit_spool: u32,
    segment: u64,
    offset: u64,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    number: u64,
    /// Whatever lies behind was never acknowledged.
    bytes: u64,
}

/// Commands at the head of a folder, oldest first.
#[derive(Debug, Default)]
pub(in crate::client) struct Batch {
    pub(in crate::client) commands: Vec<String>,
    /// After each command: where it ends, and how many lines it and the damaged ones before it are.
    ends: Vec<(u64, u64)>,
}

/// What became of an append.
#[derive(Debug)]
pub(in crate::client) struct Appended {
    /// So many, from the first, are durable.
    pub(in crate::client) n: usize,
    /// Why not more, where it is not for want of room.
    pub(in crate::client) trouble: Option<io::Error>,
}

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Oldest first.
    segments: VecDeque<Segment>,
    /// In the first segment, what lies before was sent.
    offset: u64,
    /// Of the last segment, where this process writes it.
    writer: Option<File>,
    next_number: u64,
    n_pending: u64,
    n_damaged: u64,
}

impl Folder {
    /// Opens what is in a folder; its lock must be held.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] where a newer accredit has written it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut numbers: Vec<u64> = Vec::new();
        for file in std::fs::read_dir(path)? {
            numbers.extend(number_of(&file?.file_name().to_string_lossy()));
        }
        numbers.sort_unstable();
        let next_number = numbers.last().map_or(1, |last| last + 1);
        let mut folder = Self {
            path: path.to_owned(),
            segments: VecDeque::new(),
            offset: HEAD_BYTES,
            writer: None,
            next_number,
            n_pending: 0,
            n_damaged: 0,
        };
        let position = folder.read_position();
        for number in numbers {
            let bytes = folder.check(number)?;
            let is_sent = position.as_ref().is_some_and(|position| number < position.segment);
            if is_sent || bytes <= HEAD_BYTES {
                std::fs::remove_file(folder.file(number))?;
                continue;
            }
            let is_head = folder.segments.is_empty();
            if let Some(position) = position.as_ref().filter(|position| is_head && position.segment == number) {
                let is_there = (HEAD_BYTES..=bytes).contains(&position.offset);
                folder.offset = if is_there { position.offset } else { HEAD_BYTES };
            }
            let from = if is_head { folder.offset } else { HEAD_BYTES };
            folder.n_pending += count_lines(&folder.file(number), from)?;
            folder.segments.push_back(Segment { number, bytes });
        }
        Ok(folder)
    }

    /// The length of a segment whose version is known.
    fn check(&self, number: u64) -> io::Result<u64> {
        let mut file = File::open(self.file(number))?;
        let bytes = file.metadata()?.len();
        let mut head = vec![0; usize::try_from(HEAD_BYTES.min(bytes)).map_err(io::Error::other)?];
        file.read_exact(&mut head)?;
        if HEAD.as_bytes().starts_with(&head) {
            return Ok(bytes);
        }
        // After a loss of power a file may have its length without its content: nothing of it was acknowledged.
        if head.iter().all(|byte| *byte == 0) {
            return Ok(0);
        }
        let what = format!("{} was written by another version of accredit", self.file(number).display());
        Err(io::Error::new(io::ErrorKind::Unsupported, what))
    }

    fn file(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:020}.ndjson"))
    }

    fn read_position(&self) -> Option<Position> {
        let text = std::fs::read_to_string(self.path.join(POSITION)).ok()?;
        serde_json::from_str(&text).ok().filter(|position: &Position| position.accredit_spool == 1)
    }

    fn write_position(&self) -> io::Result<()> {
        let Some(head) = self.segments.front() else { return Ok(()) };
        let position = Position { accredit_spool: 1, segment: head.number, offset: self.offset };
        let (new, old) = (self.path.join("position.new"), self.path.join(POSITION));
        std::fs::write(&new, serde_json::to_string(&position)?)?;
        std::fs::rename(new, old)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    pub(super) const fn n_pending(&self) -> u64 {
        self.n_pending
    }

    pub(super) const fn n_damaged(&self) -> u64 {
        self.n_damaged
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> u64 {
        let all: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        if self.is_empty() { 0 } else { all - self.offset }
    }

    /// Appends commands in their order and makes them durable. `room`: as many bytes at most.
    pub(super) fn append(&mut self, commands: &[&str], room: u64) -> Appended {
        let (mut n, mut used) = (0, 0);
        while n < commands.len() {
            let written = match self.segment_to_write() {
                Ok(written) => written,
                Err(error) => return Appended { n, trouble: Some(error) },
            };
            let (mut bytes, mut at) = (Vec::new(), n);
            while let Some(command) = commands.get(at)
                && written + (bytes.len() as u64) < SEGMENT_BYTES_MAX
                && used + segment::bytes_of(command) <= room
            {
                segment::write(&mut bytes, command);
                used += segment::bytes_of(command);
                at += 1;
            }
            if at == n {
                break;
            }
            if let Err(error) = self.write(&bytes) {
                return Appended { n, trouble: Some(error) };
            }
            self.n_pending += (at - n) as u64;
            n = at;
        }
        Appended { n, trouble: None }
    }

    /// Has a segment that takes more; answers how many bytes it has.
    fn segment_to_write(&mut self) -> io::Result<u64> {
        if let Some(last) = self.segments.back()
            && self.writer.is_some()
            && last.bytes < SEGMENT_BYTES_MAX
        {
            return Ok(last.bytes);
        }
        self.writer = None;
        let number = self.next_number;
        let mut file = owned(OpenOptions::new().write(true).create_new(true)).open(self.file(number))?;
        self.next_number += 1;
        file.write_all(HEAD.as_bytes())?;
        // The name of the file is to be durable too.
        #[cfg(unix)]
        File::open(&self.path)?.sync_all()?;
        if self.segments.is_empty() {
            self.offset = HEAD_BYTES;
        }
        self.segments.push_back(Segment { number, bytes: HEAD_BYTES });
        self.writer = Some(file);
        Ok(HEAD_BYTES)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (Some(file), Some(last)) = (&mut self.writer, self.segments.back_mut()) else {
            return Err(io::Error::other("no segment is open"));
        };
        let written = file.write_all(bytes).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // What is half there must not be in front of what comes next.
            let undone = file.set_len(last.bytes).and_then(|()| file.seek(SeekFrom::End(0)));
            if undone.is_err() {
                self.writer = None;
            }
            return Err(error);
        }
        last.bytes += bytes.len() as u64;
        Ok(())
    }

    /// The oldest commands that wait; `None` of none.
    pub(super) fn peek(&mut self) -> io::Result<Option<Batch>> {
        while let Some(head) = self.segments.front().copied() {
            if self.offset >= head.bytes {
                self.drop_head()?;
                continue;
            }
            let (batch, end, n_damaged) = self.read(head)?;
            if !batch.commands.is_empty() {
                return Ok(Some(batch));
            }
            tracing::warn!(n_damaged, "lines of the spool were torn or damaged, and are skipped");
            self.pass(end, n_damaged, n_damaged);
        }
        Ok(None)
    }

    /// Commands of one segment; where reading stopped, and the damaged lines at the end.
    fn read(&self, head: Segment) -> io::Result<(Batch, u64, u64)> {
        let mut file = File::open(self.file(head.number))?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut reader = BufReader::new(file.take(head.bytes - self.offset));
        let (mut batch, mut at, mut n_damaged) = (Batch::default(), self.offset, 0);
        let mut line = Vec::new();
        while batch.commands.len() < READ_COMMANDS_MAX && at - self.offset < READ_BYTES_MAX {
            line.clear();
            let n = reader.read_until(b'\n', &mut line)?;
            if n == 0 {
                break;
            }
            at += n as u64;
            match line.strip_suffix(b"\n").and_then(segment::read) {
                Some(command) => {
                    batch.commands.push(command.to_owned());
                    batch.ends.push((at, n_damaged + 1));
                    n_damaged = 0;
                }
                None => n_damaged += 1,
            }
        }
        Ok((batch, at, n_damaged))
    }

    /// Forgets the first `n` commands of a batch: they have been answered.
    pub(super) fn advance(&mut self, batch: &Batch, n: usize) -> io::Result<()> {
        let Some((end, _)) = n.checked_sub(1).and_then(|last| batch.ends.get(last)).copied() else { return Ok(()) };
        let n_lines: u64 = batch.ends.iter().take(n).map(|(_, lines)| lines).sum();
        self.pass(end, n_lines, n_lines - n as u64);
        if self.segments.front().is_some_and(|head| self.offset >= head.bytes) {
            self.drop_head()
        } else {
            self.write_position()
        }
    }

    const fn pass(&mut self, end: u64, n_lines: u64, n_damaged: u64) {
        self.offset = end;
        self.n_pending = self.n_pending.saturating_sub(n_lines);
        self.n_damaged += n_damaged;
    }

    /// Deletes the first segment: all in it has been sent.
    fn drop_head(&mut self) -> io::Result<()> {
        if self.segments.len() == 1 {
            self.writer = None;
        }
        if let Some(head) = self.segments.pop_front() {
            std::fs::remove_file(self.file(head.number))?;
        }
        self.offset = HEAD_BYTES;
        if self.is_empty() {
            self.n_pending = 0;
            match std::fs::remove_file(self.path.join(POSITION)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => return Ok(()),
            }
        }
        self.write_position()
    }
}

/// The number of a segment's file.
pub(super) fn number_of(name: &str) -> Option<u64> {
    name.strip_suffix(".ndjson").filter(|number| number.len() == 20)?.parse().ok()
}

fn count_lines(path: &Path, from: u64) -> io::Result<u64> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut n = 0;
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(n);
        }
        n += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let length = bytes.len();
        reader.consume(length);
    }
}

/// What is recorded is its owner's business.
pub(super) fn owned(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
