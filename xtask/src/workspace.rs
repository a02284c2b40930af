//! The workspace as cargo sees it.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package};

use crate::{Error, Result};

/// The root folder, the build folder and the member packages.
#[derive(Debug)]
pub struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Asks cargo. Reads manifests only: nothing is resolved, fetched or built.
    ///
    /// # Errors
    /// When a manifest cannot be read.
    pub fn load() -> Result<Self> {
        let folder = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
        let mut command = MetadataCommand::new();
        command.current_dir(folder).no_deps().other_options(["--offline".to_owned()]);
        let metadata = command.exec().map_err(|error| Error::from(format!("`cargo metadata`: {error}")))?;
        Ok(Self { metadata })
    }

    /// The folder of the workspace's manifest.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// Where cargo builds.
    #[must_use]
    pub fn target(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// The member packages.
    #[must_use]
    pub fn packages(&self) -> &[Package] {
        &self.metadata.packages
    }

    /// The names of all binary targets.
    pub fn binaries(&self) -> impl Iterator<Item = &str> {
        let targets = self.packages().iter().flat_map(|package| &package.targets);
        targets.filter(|target| target.is_bin()).map(|target| target.name.as_str())
    }

    /// A debug build's binary.
    pub(crate) fn debug_binary(&self, name: &str) -> PathBuf {
        self.target().join("debug").join(name)
    }
}
