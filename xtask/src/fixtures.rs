//! Files that are made from code and kept in the tree, so that a change of format shows in a diff.

use std::path::{Path, PathBuf};

use crate::{Result, Workspace};

/// The folder of the JSON Schemas of wire format v1.
const SCHEMAS: &str = "schemas";

/// Writes every generated file that differs and removes those that nothing makes any more.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    let root = workspace.root();
    std::fs::create_dir_all(root.join(SCHEMAS))?;
    let generated = generated()?;
    for (path, text) in &generated {
        if read(&root.join(path)).as_deref() != Some(text) {
            std::fs::write(root.join(path), text)?;
            println!("xtask: wrote {}", path.display());
        }
    }
    for path in orphans(root, &generated) {
        std::fs::remove_file(root.join(&path))?;
        println!("xtask: removed {}", path.display());
    }
    Ok(())
}

/// Fails with the names of the files that are not as the code makes them.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let stale = stale_fixtures(workspace)?;
    if stale.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = stale.iter().map(|path| path.display().to_string()).collect();
    Err(format!("not as the code makes them: {}; `cargo xtask fixtures` writes them", names.join(", ")).into())
}

/// The generated files that are missing, differ from what the code makes, or that nothing makes.
///
/// # Errors
/// When a schema cannot be printed.
pub fn stale_fixtures(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let root = workspace.root();
    let generated = generated()?;
    let orphans = orphans(root, &generated);
    let differing = generated.into_iter().filter(|(path, text)| read(&root.join(path)).as_ref() != Some(text));
    Ok(differing.map(|(path, _)| path).chain(orphans).collect())
}

/// Every generated file: its path from the root and its text.
fn generated() -> Result<Vec<(PathBuf, String)>> {
    let schemas = accredit_model::json_schemas().into_iter().map(|(name, schema)| {
        let path = Path::new(SCHEMAS).join(format!("{name}.json"));
        Ok((path, format!("{}\n", serde_json::to_string_pretty(&schema)?)))
    });
    schemas.collect()
}

/// JSON files in the schema folder that nothing makes.
fn orphans(root: &Path, generated: &[(PathBuf, String)]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root.join(SCHEMAS)).into_iter().flatten().flatten();
    let paths = entries.map(|entry| Path::new(SCHEMAS).join(entry.file_name()));
    paths.filter(|path| !generated.iter().any(|(made, _)| made == path)).collect()
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}
