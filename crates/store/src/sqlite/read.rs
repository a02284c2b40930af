//! Chains and attributions read back, each checked against its checksum.

use accredit_model::{ActionId, Status, Version};
use rusqlite::{Connection, Row, params};

use super::index::OpenAction;
use super::rows::{self, status_from};
use crate::chain::{checksum, decompress};
use crate::{Chain, Segment, StoreError, StoredAttribution};

pub(super) fn chain(conn: &Connection, id: ActionId, open: Option<OpenAction>) -> Result<Option<Chain>, StoreError> {
    // One snapshot: the action may be closed, and its chunks deleted, while this reads.
    let snapshot = conn.unchecked_transaction()?;
    chain_in(&snapshot, id, open)
}

/// The same inside a transaction that the caller has begun.
pub(super) fn chain_in(conn: &Connection, id: ActionId, open: Option<OpenAction>) -> Result<Option<Chain>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT no, status, last_chunk, first_block, n_blocks FROM actions WHERE id = ?1")?;
    let mut rows = statement.query(params![id.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (no, status, last_chunk) = (row.get(0)?, status_from(row.get(1)?)?, row.get(2)?);
    let (first_block, n_blocks) = (row.get::<_, Option<i64>>(3)?, row.get::<_, i64>(4)?);
    let mut segments = Vec::new();
    if let Some(first) = first_block {
        for block in first..first + n_blocks {
            segments.push(read_block(conn, block, no)?);
        }
    }
    let n_sealed = segments.iter().map(|segment| segment.n).sum();
    let last_chunk = match (status, open) {
        (Status::Open, Some(open)) => open.last_chunk,
        _ => last_chunk,
    };
    segments.extend(read_chunks(conn, last_chunk, no)?);
    let chain = Chain { status, segments, n_sealed };
    chain.check()?;
    Ok(Some(chain))
}

/// The completions that were accepted, the oldest action first.
pub(super) fn accepted(conn: &Connection) -> Result<Vec<(ActionId, Vec<u8>)>, StoreError> {
    // A store of an older schema that is only read has none.
    if !rows::has_table(conn, "accepted")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare(
        "SELECT actions.id, accepted.checksum, accepted.bytes FROM accepted JOIN actions ON actions.no = action_no
             ORDER BY action_no",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let id = ActionId::from_bytes(row.get(0)?);
        let bytes: Vec<u8> = row.get(2)?;
        if row.get::<_, i64>(1)? != checksum(&bytes) {
            return Err(StoreError::corrupt(format!("the accepted completion of action {id}")));
        }
        found.push((id, bytes));
    }
    Ok(found)
}

fn read_block(conn: &Connection, block: i64, action_no: i64) -> Result<Segment, StoreError> {
    const RAW_BYTES_MAX: i64 = 1 << 30;
    let damaged = || StoreError::corrupt(format!("block {block}"));
    let mut statement =
        conn.prepare_cached("SELECT action_no, first_seq, n, raw_bytes, checksum, bytes FROM blocks WHERE no = ?1")?;
    let mut rows = statement.query(params![block])?;
    let row = rows.next()?.ok_or_else(damaged)?;
    let bytes = row.get_ref(5)?.as_blob().map_err(|_| damaged())?;
    let raw_bytes: i64 = row.get(3)?;
    if row.get::<_, i64>(0)? != action_no || row.get::<_, i64>(4)? != checksum(bytes) || raw_bytes > RAW_BYTES_MAX {
        return Err(damaged());
    }
    let raw = decompress(bytes, usize::try_from(raw_bytes).map_err(|_| damaged())?).map_err(|_| damaged())?;
    Ok(Segment {
        first_seq: row.get::<_, i64>(1)?.cast_unsigned(),
        n: row.get::<_, i64>(2)?.cast_unsigned(),
        text: String::from_utf8(raw).map_err(|_| damaged())?,
        chunk: None,
    })
}

/// Follows the links from the last chunk to the first.
fn read_chunks(conn: &Connection, last: i64, action_no: i64) -> Result<Vec<Segment>, StoreError> {
    let mut segments = Vec::new();
    let mut statement = conn.prepare_cached(
        "SELECT action_no, previous, first_seq, n_steps + n_observations, checksum, bytes FROM chunks WHERE no = ?1",
    )?;
    let mut chunk = last;
    while chunk != 0 {
        let damaged = || StoreError::corrupt(format!("chunk {chunk}"));
        let mut rows = statement.query(params![chunk])?;
        let row = rows.next()?.ok_or_else(damaged)?;
        let bytes = row.get_ref(5)?.as_blob().map_err(|_| damaged())?;
        let previous: i64 = row.get(1)?;
        if row.get::<_, i64>(0)? != action_no || row.get::<_, i64>(4)? != checksum(bytes) || previous >= chunk {
            return Err(damaged());
        }
        segments.push(Segment {
            first_seq: row.get::<_, i64>(2)?.cast_unsigned(),
            n: row.get::<_, i64>(3)?.cast_unsigned(),
            text: std::str::from_utf8(bytes).map_err(|_| damaged())?.to_owned(),
            chunk: Some(chunk),
        });
        chunk = previous;
    }
    segments.reverse();
    Ok(segments)
}

const ATTRIBUTION: &str = "SELECT t.cursor, a.id, t.version, t.raw_bytes, t.checksum, t.bytes
    FROM attributions t JOIN actions a ON a.no = t.action_no";

pub(super) fn attribution(
    conn: &Connection,
    id: ActionId,
    version: Option<Version>,
) -> Result<Option<StoredAttribution>, StoreError> {
    let sql = format!("{ATTRIBUTION} WHERE a.id = ?1 AND t.version = coalesce(?2, a.version)");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![id.as_bytes(), version])?;
    rows.next()?.map(read_attribution).transpose()
}

pub(super) fn attributions_after(
    conn: &Connection,
    cursor: u64,
    limit: usize,
) -> Result<Vec<StoredAttribution>, StoreError> {
    let sql = format!("{ATTRIBUTION} WHERE t.cursor > ?1 ORDER BY t.cursor LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let cursor = i64::try_from(cursor).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![cursor, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        read.push(read_attribution(row)?);
    }
    Ok(read)
}

fn read_attribution(row: &Row<'_>) -> Result<StoredAttribution, StoreError> {
    let cursor = row.get::<_, i64>(0)?.cast_unsigned();
    let damaged = || StoreError::corrupt(format!("attribution {cursor}"));
    let bytes = row.get_ref(5)?.as_blob().map_err(|_| damaged())?;
    if row.get::<_, i64>(4)? != checksum(bytes) {
        return Err(damaged());
    }
    let body = match usize::try_from(row.get::<_, i64>(3)?).map_err(|_| damaged())? {
        0 => bytes.to_vec(),
        raw_bytes => decompress(bytes, raw_bytes).map_err(|_| damaged())?,
    };
    Ok(StoredAttribution { cursor, action: ActionId::from_bytes(row.get(1)?), version: row.get(2)?, body })
}
