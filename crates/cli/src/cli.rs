//! The command line: what can be asked. `docs/cli.md` is made from it.

use std::net::SocketAddr;
use std::path::PathBuf;

use accredit::{Filter, METHODS};
use accredit_model::{Status, Timestamp, Verdict};
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::source;

/// Gives each step of an agent's work the credit it earned.
#[derive(Debug, Parser)]
#[command(name = "accredit", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The store: the path of its file, or the http:// address of a running server [default: accredit.db]
    #[arg(long, global = true, env = "ACCREDIT_STORE", value_name = "PATH|URL", hide_env_values = true)]
    pub(crate) store: Option<String>,
    /// Configuration of the engine, TOML
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server: REST over HTTP on one address, on one store
    ///
    /// Prints `listening on http://ADDR` once it takes connections. Ctrl-C or SIGTERM ends it: requests under way are
    /// answered and what was acknowledged is on disk. ACCREDIT_LOG says what is logged: `info`, `debug`…
    Serve(ServeArgs),
    /// List actions, newest first
    List(ListArgs),
    /// Import files: native commands, tau-bench results, lists of chat messages
    ///
    /// Importing a file twice stores it once. Exits with 1 where anything was refused.
    Import(ImportArgs),
    /// Show an action and its chain
    Show(ShowArgs),
    /// Explain what an action earned and which steps earned it
    Why(WhyArgs),
    /// Show what each decision of an action type is worth, with intervals
    Insights(InsightsArgs),
    /// Learn from closed actions: fit models, take over those of other stores, credit anew, forget
    ///
    /// A server learns by itself in the background; this does it now. Needs the store file, which no server may have
    /// open.
    Learn(LearnArgs),
    /// Watch what is open, what was closed, and the counters
    Top(TopArgs),
    /// Write closed actions with their chains and credit as JSON lines
    Export(ExportArgs),
    /// Check the store: checksums, sequences, counters, sums of credit
    ///
    /// Exits with 1 where it finds a problem.
    Verify,
    /// List deliveries that were given up, or try them again
    DeadLetters(DeadLettersArgs),
    /// Measure this machine
    Bench(BenchArgs),
}

/// `serve`
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7117")]
    pub(crate) listen: SocketAddr,
}

/// Which actions.
#[derive(Clone, Debug, Args)]
pub(crate) struct FilterArgs {
    /// Only this agent's
    #[arg(long, value_name = "NAME")]
    pub(crate) agent: Option<String>,
    /// Only of this action type
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) action_type: Option<String>,
    /// Only attempts at this goal
    #[arg(long, value_name = "ID")]
    pub(crate) goal: Option<String>,
    /// Only in this status: open, completed, timed_out, evicted, cancelled
    #[arg(long, value_parser = status)]
    pub(crate) status: Option<Status>,
    /// Only with this verdict: success, partial, failure, unknown
    #[arg(long, value_parser = verdict)]
    pub(crate) verdict: Option<Verdict>,
    /// Only begun at this time (RFC 3339 or seconds since 1970) or later
    #[arg(long, value_name = "TIME", value_parser = source::time)]
    pub(crate) from: Option<Timestamp>,
    /// Only begun before this time
    #[arg(long, value_name = "TIME", value_parser = source::time)]
    pub(crate) to: Option<Timestamp>,
}

impl FilterArgs {
    pub(crate) fn filter(&self) -> Filter {
        Filter {
            agent_id: self.agent.as_deref().map(Into::into),
            action_type: self.action_type.as_deref().map(Into::into),
            goal_id: self.goal.as_deref().map(Into::into),
            status: self.status,
            verdict: self.verdict,
            from: self.from,
            to: self.to,
        }
    }
}

/// `list`
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) limit: u64,
    /// Go on where an earlier list ended; the end of a list says how
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
    /// All of them, whatever --limit says
    #[arg(long)]
    pub(crate) all: bool,
}

/// `import`
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Files to read; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What the files are
    #[arg(long, value_enum, default_value_t = ImportFormat::Auto)]
    pub(crate) format: ImportFormat,
    /// Who acted, where the file does not say; else its name does
    #[arg(long, value_name = "NAME")]
    pub(crate) agent: Option<String>,
    /// The action type to give
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) action_type: Option<String>,
}

/// What a file to import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    /// Told from the content
    Auto,
    /// One command of wire format v1 on a line
    Native,
    /// Results of tau-bench: runs with `traj` and `reward`
    TauBench,
    /// Lists of chat messages, or objects with `messages`
    Openai,
}

/// `show`
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The action: its id, the beginning or the end of it, or `last`
    pub(crate) id: String,
    /// A version of its attribution; the latest where not given
    #[arg(long = "version", value_name = "N")]
    pub(crate) attribution_version: Option<u32>,
    /// Every entry of a long chain
    #[arg(long)]
    pub(crate) all: bool,
}

/// `why`
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The action: its id, the beginning or the end of it, or `last`
    pub(crate) id: String,
    /// A version of its attribution; the latest where not given
    #[arg(long = "version", value_name = "N")]
    pub(crate) attribution_version: Option<u32>,
    /// As this method would give it now, to the action as it stands: computed for this page, stored nowhere
    #[arg(long, value_name = "NAME", value_parser = method_names())]
    pub(crate) method: Option<String>,
    /// Of the methods td_lambda and gae, from 0 to 1: how far a step answers for what follows it
    #[arg(long, value_name = "X", requires = "method", allow_negative_numbers = true)]
    pub(crate) lambda: Option<f64>,
    /// Of the method gigpo, from 0 to 100: how much the comparison within a situation counts
    #[arg(long, value_name = "X", requires = "method", allow_negative_numbers = true)]
    pub(crate) weight: Option<f64>,
    /// Every step of a long chain
    #[arg(long)]
    pub(crate) all: bool,
}

/// The methods that can be asked for, with what they do.
fn method_names() -> PossibleValuesParser {
    METHODS.map(|info| PossibleValue::new(info.name).help(info.what)).into()
}

/// `top`
#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// Print once and end
    #[arg(long)]
    pub(crate) once: bool,
}

/// `export`
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// What to write
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    pub(crate) format: ExportFormat,
    /// Where to write it; standard output where not given
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// What an export looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One experience on a line
    Jsonl,
}

/// `dead-letters`
#[derive(Debug, Args)]
pub(crate) struct DeadLettersArgs {
    #[command(subcommand)]
    pub(crate) command: Option<DeadLettersCommand>,
}

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List them (what happens where nothing is said)
    List,
    /// Put them back into the queues of their sinks
    Replay {
        /// Only those of this sink
        #[arg(long, value_name = "NAME")]
        sink: Option<String>,
    },
}

fn status(text: &str) -> Result<Status, String> {
    Status::from_code(text).ok_or_else(|| "it is open, completed, timed_out, evicted or cancelled".to_owned())
}

fn verdict(text: &str) -> Result<Verdict, String> {
    let found = Verdict::ALL.into_iter().find(|verdict| verdict.code() == text);
    found.ok_or_else(|| "it is success, partial, failure or unknown".to_owned())
}

/// `insights`
#[derive(Debug, Args)]
pub(crate) struct InsightsArgs {
    /// The action type
    #[arg(value_name = "TYPE")]
    pub(crate) action_type: String,
    /// Rows at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
}

/// `learn`
#[derive(Debug, Args)]
pub(crate) struct LearnArgs {
    /// Only this action type, fitted anew whether or not something has changed
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) action_type: Option<String>,
    /// Take over what this store has learned; in any order, and again, the result is the same
    #[arg(long, value_name = "PATH")]
    pub(crate) merge: Vec<PathBuf>,
    /// Take this action (its id, or the beginning or the end of it) out of what was learned, for ever; the action itself stays
    #[arg(long, value_name = "ID")]
    pub(crate) forget: Vec<String>,
    /// Credit closed actions anew by the models that stand
    #[arg(long)]
    pub(crate) reattribute: bool,
}

/// `bench`
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) command: BenchCommand,
}

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// How fast steps become durable, beside a plain file with the same fsync policy
    ///
    /// Works in a folder of its own on the disk that is to be measured, and deletes it at the end. The store given
    /// with --store is not touched.
    Ingest(BenchIngestArgs),
    /// How well credit is assigned where the truth is known, beside the prior; goals with it
    ///
    /// Environments whose decisive steps or exact advantages are known, games with closed forms, and failed runs of agent
    /// teams with the decisive step marked by people. A model learns from recorded actions through the ordinary calls,
    /// with the default settings, and is measured on further ones.
    Credit(BenchCreditArgs),
}

/// `bench credit`
#[derive(Debug, Args)]
pub(crate) struct BenchCreditArgs {
    /// The same seed gives the same numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// A short form: fewer settings, no suite of 1,000 long actions
    #[arg(long)]
    pub(crate) quick: bool,
    /// Measure speed instead
    #[arg(long)]
    pub(crate) speed: bool,
    /// Measure what a learner keeps of a million actions instead
    #[arg(long)]
    pub(crate) memory: bool,
    /// Folder that holds `who_and_when` and `tau_bench`, in the formats of the project's own
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// `bench ingest`
#[derive(Debug, Args)]
pub(crate) struct BenchIngestArgs {
    /// Where to make the folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Steps of the bulk load, of about 300 bytes each
    #[arg(long, value_name = "N", default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) steps: u64,
    /// Seconds that each crowd of producers records for, and the plain file as long
    #[arg(long, value_name = "SECS", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) secs: u64,
    /// Open actions whose memory is measured
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) open_actions: u64,

    /// Measure these parts alone
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    pub(crate) only: Vec<crate::bench::Part>,
}
