//! The tools that a fresh machine lacks.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{output_within, run};
use crate::{Error, Result, Workspace};

/// A cargo subcommand in a crate of its own.
pub(crate) struct Tool {
    name: &'static str,
    /// Installed where it is missing or older than this.
    version: &'static str,
}

/// The test runner.
pub(crate) const NEXTEST: Tool = Tool { name: "cargo-nextest", version: "0.9.143" };
/// Licences, sources, duplicate and vulnerable dependencies.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };

/// How long a tool may take to say its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(20);

impl Tool {
    /// Its binary: from `PATH` where that is new enough, else from the build folder, where it is installed when absent.
    pub(crate) fn binary(&self, workspace: &Workspace) -> Result<PathBuf> {
        let home = workspace.target().join("tools");
        let own = home.join("bin").join(self.name);
        for candidate in [Path::new(self.name), &own] {
            if self.is_recent(candidate) {
                return Ok(candidate.to_path_buf());
            }
        }
        println!("xtask: installing {} {} into {}, once", self.name, self.version, home.display());
        let mut install = cargo(workspace);
        install.args(["install", "--locked", "--version", self.version, "--root"]).arg(&home).arg(self.name);
        run(&mut install)?;
        Ok(own)
    }

    fn is_recent(&self, binary: &Path) -> bool {
        let output = output_within(Command::new(binary).arg("--version"), VERSION_TIMEOUT);
        let said = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
        said.and_then(|said| version_in(&String::from_utf8_lossy(&said))) >= version_in(self.version)
    }
}

/// Cargo itself, in the workspace's root.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace.root());
    command
}

/// How long a virtual environment may take to be made.
pub(crate) const VENV_TIMEOUT: Duration = Duration::from_secs(300);

/// Where the Python tools are, installed when they are absent or not as the requirements say.
pub(crate) fn python_tools(workspace: &Workspace) -> Result<PathBuf> {
    python_environment(&workspace.root().join(".venv"), &workspace.root().join("xtask/requirements.txt"), &[])
}

/// Where the programs of a virtual environment are, which is made anew when it is not as the requirements say. The options
/// are those of `pip install`.
pub(crate) fn python_environment(venv: &Path, requirements: &Path, options: &[&str]) -> Result<PathBuf> {
    let wanted = std::fs::read_to_string(requirements)?;
    let stamp = venv.join("requirements.txt");
    let tools = venv.join("bin");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(tools);
    }
    println!("xtask: installing {} into {}, once", requirements.display(), venv.display());
    let mut create = Command::new("python3");
    create.args(["-m", "venv"]).arg(venv);
    run(&mut create).map_err(|error| Error::from(format!("{error}; on Debian, `apt install python3-venv` helps")))?;
    let mut install = Command::new(python_in(&tools));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(options);
    run(install.arg("-r").arg(requirements))?;
    std::fs::write(stamp, wanted)?;
    Ok(tools)
}

/// The interpreter of a virtual environment.
pub(crate) fn python_in(tools: &Path) -> PathBuf {
    tools.join("python")
}

/// The first version number in a text, as `[major, minor, patch]`.
pub(crate) fn version_in(text: &str) -> Option<[u64; 3]> {
    text.split_whitespace().find_map(|word| {
        let mut parts = word.split('.').map(|part| part.parse::<u64>().ok());
        Some([parts.next()??, parts.next()??, parts.next()??])
    })
}
