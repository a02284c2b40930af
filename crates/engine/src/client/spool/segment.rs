//! The lines of a segment: each carries a checksum, so that one that was torn or damaged is known.

use xxhash_rust::xxh3::xxh3_64;

/// The first line of every segment.
pub(super) const HEAD: &str = "{\"accredit_spool\":1}\n";

const BEFORE_SUM: &str = "{\"sum\":\"";
const BEFORE_COMMAND: &str = ",\"command\":";
const AFTER_COMMAND: &str = "}";

/// Appends a command as a line.
pub(super) fn write(out: &mut Vec<u8>, command: &str) {
    out.extend_from_slice(BEFORE_SUM.as_bytes());
    out.extend_from_slice(format!("{:016x}", xxh3_64(command.as_bytes())).as_bytes());
    out.push(b'"');
    out.extend_from_slice(BEFORE_COMMAND.as_bytes());
    out.extend_from_slice(command.as_bytes());
    out.extend_from_slice(AFTER_COMMAND.as_bytes());
    out.push(b'\n');
}

/// Bytes of a command's line.
pub(super) const fn bytes_of(command: &str) -> u64 {
    (BEFORE_SUM.len() + 17 + BEFORE_COMMAND.len() + command.len() + AFTER_COMMAND.len() + 1) as u64
}

/// The command of a line without its line break; `None` where the line is not as it was written.
pub(super) fn read(line: &[u8]) -> Option<&str> {
    let rest = std::str::from_utf8(line).ok()?.strip_prefix(BEFORE_SUM)?;
    let (sum, rest) = rest.split_once('"')?;
    let command = rest.strip_prefix(BEFORE_COMMAND)?.strip_suffix(AFTER_COMMAND)?;
    (u64::from_str_radix(sum, 16) == Ok(xxh3_64(command.as_bytes()))).then_some(command)
}

#[cfg(test)]
mod tests {
    use super::{bytes_of, read, write};

    #[test]
    fn a_line_that_is_not_as_it_was_written_is_none() {
        let command = r#"{"op":"step","description":"é"}"#;
        let mut line = Vec::new();
        write(&mut line, command);
        assert_eq!(line.len() as u64, bytes_of(command));
        assert_eq!(line.pop(), Some(b'\n'));
        assert_eq!(read(&line), Some(command));
        assert!(serde_json::from_slice::<serde_json::Value>(&line).is_ok(), "a line is JSON");
        for at in 0..line.len() {
            assert_eq!(read(&line[..at]), None, "torn at {at}");
            let mut other = line.clone();
            other[at] ^= 0x20;
            // A checksum may be written in capitals.
            assert!(read(&other).is_none() || (8..24).contains(&at), "damaged at {at}");
        }
    }
}
