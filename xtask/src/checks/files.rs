//! The files of the tree.

use std::path::{Path, PathBuf};

use crate::Result;

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 6] = [".git", ".hypothesis", ".venv", "__pycache__", "node_modules", "target"];

/// Every file below the root whose path `wanted` picks, as paths from the root with `/`, sorted.
pub(super) fn files(root: &Path, wanted: fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() && !SKIPPED.iter().any(|name| entry.file_name() == *name) {
                folders.push(path);
            } else if kind.is_file() && wanted(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether the file has this extension.
pub(super) fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|it| it == extension)
}
