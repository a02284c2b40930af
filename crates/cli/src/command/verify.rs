//! `accredit verify`

use indicatif::{ProgressBar, ProgressStyle};

use crate::out::Out;
use crate::source::Source;
use crate::text;
use crate::{Error, Exit};

pub(super) fn run(source: &dyn Source, json: bool, out: &mut Out) -> Result<Exit, Error> {
    let engine = source.engine("verify")?;
    let bar = ProgressBar::no_length();
    let style = ProgressStyle::with_template("verifying {wide_bar} {pos}/{len} actions {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let report = engine.verify(&mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    if json {
        out.json(&report)?;
    } else {
        out.text(&format!(
            "verified {}: {} ({} open), {}, {}, {}, {}\n",
            source.place(),
            text::count(report.actions, "action"),
            text::grouped(report.open),
            text::count(report.entries, "entry").replace("entrys", "entries"),
            text::count(report.chunks, "chunk"),
            text::count(report.sealed_blocks, "sealed block"),
            text::count(report.attributions, "attribution"),
        ))?;
        for problem in &report.problems {
            let whose = problem.action_id.map_or_else(|| "store".to_owned(), |id| id.to_string());
            out.text(&format!("problem: {whose}: {}\n", text::clean(&problem.what)))?;
        }
        let found = match report.problems.len() {
            0 => "no problems\n".to_owned(),
            n => format!("{}\n", text::count(n as u64, "problem")),
        };
        out.text(&found)?;
    }
    Ok(if report.problems.is_empty() { Exit::Ok } else { Exit::Problems })
}
