//! Chains as bytes: segments of JSON lines, and their compressed form.

use std::cell::RefCell;

use accredit_model::{Entry, Seq, Status};
use xxhash_rust::xxh3::xxh3_64;
use zstd::bulk::{Compressor, Decompressor};

use crate::StoreError;

/// Raw bytes of one chunk or sealed block at most, unless one entry alone is larger.
pub(crate) const SEGMENT_BYTES_MAX: usize = 4 << 20;

/// Level 1 halves the time of level 3 and costs a tenth more space on chains of agents.
const ZSTD_LEVEL: i32 = 1;

/// The entries of one action in order, as the store holds them.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Whether it was open when read.
    pub status: Status,
    /// Runs of entries, in order and without gaps.
    pub segments: Vec<Segment>,
    /// How many of them stood under one seal; the rest came late. 0 while open.
    pub n_sealed: u64,
}

/// A run of consecutive entries.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Position of its first entry.
    pub first_seq: Seq,
    /// How many entries.
    pub n: u64,
    /// One JSON line an entry, each ended by a line break.
    pub text: String,
    /// The chunk that held it, for sealing; `None` where it came from a sealed block.
    pub(crate) chunk: Option<i64>,
}

impl Chain {
    /// Entries in all.
    #[must_use]
    pub fn n_entries(&self) -> u64 {
        self.segments.iter().map(|segment| segment.n).sum()
    }

    /// Bytes of JSON in all.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.segments.iter().map(|segment| segment.text.len()).sum()
    }

    /// The lines in order with their positions.
    #[must_use]
    pub fn lines(&self) -> Lines<'_> {
        Lines { segments: self.segments.iter(), rest: "", seq: 0 }
    }

    /// The entries, parsed.
    ///
    /// # Errors
    /// When a line is no entry.
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::with_capacity(usize::try_from(self.n_entries()).unwrap_or_default());
        for (seq, line) in self.lines() {
            let damaged = |error| StoreError::corrupt(format!("entry {seq} of a chain ({error})"));
            entries.push(Entry::from_line(line, seq).map_err(damaged)?);
        }
        Ok(entries)
    }

    /// Checks that the segments are what they say: contiguous from 0, each with its number of lines.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let mut next = 0;
        for segment in &self.segments {
            let n_lines = memchr::memchr_iter(b'\n', segment.text.as_bytes()).count() as u64;
            if segment.first_seq != next || segment.n != n_lines {
                return Err(StoreError::corrupt(format!("entries {next} and following of a chain")));
            }
            next += segment.n;
        }
        Ok(())
    }
}

/// Iterates over the lines of a chain: position and JSON text without its line break.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    segments: std::slice::Iter<'a, Segment>,
    rest: &'a str,
    seq: Seq,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (Seq, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        while self.rest.is_empty() {
            let segment = self.segments.next()?;
            self.rest = &segment.text;
            self.seq = segment.first_seq;
        }
        let end = memchr::memchr(b'\n', self.rest.as_bytes()).unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix('\n').unwrap_or_default();
        self.seq += 1;
        Some((self.seq - 1, line))
    }
}

/// A chain compressed for rest.
#[derive(Clone, Debug, Default)]
pub struct SealedChain {
    pub(crate) blocks: Vec<SealedBlock>,
    /// The chunks that it replaces.
    pub(crate) chunks: Vec<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct SealedBlock {
    pub(crate) first_seq: Seq,
    pub(crate) n: u64,
    pub(crate) raw_len: usize,
    pub(crate) bytes: Vec<u8>,
    pub(crate) checksum: i64,
}

impl SealedChain {
    /// Compresses an open action's chain; the work of the calling thread, outside any lock.
    ///
    /// # Errors
    /// When zstd fails, which it does for lack of memory alone.
    pub fn compress(chain: &Chain) -> Result<Self, StoreError> {
        let mut sealed = Self { blocks: Vec::new(), chunks: chain.segments.iter().filter_map(|s| s.chunk).collect() };
        let mut raw = Vec::with_capacity(chain.n_bytes().min(SEGMENT_BYTES_MAX));
        let (mut first_seq, mut n) = (0, 0);
        for segment in &chain.segments {
            if n > 0 && raw.len() + segment.text.len() > SEGMENT_BYTES_MAX {
                sealed.blocks.push(SealedBlock::new(first_seq, n, &raw)?);
                (first_seq, n) = (segment.first_seq, 0);
                raw.clear();
            }
            raw.extend_from_slice(segment.text.as_bytes());
            n += segment.n;
        }
        if n > 0 {
            sealed.blocks.push(SealedBlock::new(first_seq, n, &raw)?);
        }
        Ok(sealed)
    }

    pub(crate) fn n_entries(&self) -> u64 {
        self.blocks.iter().map(|block| block.n).sum()
    }

    /// Bytes after compression.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.bytes.len()).sum()
    }
}

impl SealedBlock {
    fn new(first_seq: Seq, n: u64, raw: &[u8]) -> Result<Self, StoreError> {
        let bytes = compress(raw)?;
        Ok(Self { first_seq, n, raw_len: raw.len(), checksum: checksum(&bytes), bytes })
    }
}

/// xxh3 over the bytes as they lie on disk, in SQLite's signed integer.
pub(crate) fn checksum(bytes: &[u8]) -> i64 {
    xxh3_64(bytes).cast_signed()
}

/// Contexts are kept per thread: making one costs more than compressing a short chain.
pub(crate) fn compress(raw: &[u8]) -> Result<Vec<u8>, StoreError> {
    thread_local! {
        static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(Compressor::new(ZSTD_LEVEL).map_err(zstd_failed)?),
        };
        compressor.compress(raw).map_err(zstd_failed)
    })
}

pub(crate) fn decompress(bytes: &[u8], raw_len: usize) -> Result<Vec<u8>, StoreError> {
    thread_local! {
        static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(Decompressor::new().map_err(zstd_failed)?),
        };
        let raw = decompressor.decompress(bytes, raw_len).map_err(zstd_failed)?;
        if raw.len() == raw_len { Ok(raw) } else { Err(StoreError::corrupt("a compressed block")) }
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err wants")]
fn zstd_failed(error: std::io::Error) -> StoreError {
    StoreError::corrupt(format!("a compressed block ({error})"))
}
