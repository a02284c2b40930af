//! The tree keeps its own rules.

use accredit_model::{RefusalReason, json_schemas};
use serde_json::Value;
use xtask::{
    Finding, Workspace, check_arrows, check_crate_docs, check_dependencies, check_documents, check_forbidden,
    check_sources, report, stale_fixtures,
};

fn check(find: impl FnOnce(&Workspace) -> xtask::Result<Vec<Finding>>) -> xtask::Result<()> {
    let text = report(&find(&Workspace::load()?)?).err().unwrap_or_default();
    assert!(text.is_empty(), "{text}");
    Ok(())
}

#[test]
fn crates_depend_one_way() -> xtask::Result<()> {
    check(|workspace| Ok(check_arrows(workspace)))
}

#[test]
fn documents_name_what_exists() -> xtask::Result<()> {
    check(check_documents)
}

#[test]
fn every_dependency_has_its_reason() -> xtask::Result<()> {
    check(check_dependencies)
}

/// Every field of a command and of an attribution and every refusal reason, by the schemas, is on the page.
#[test]
fn wire_format_page_is_complete() -> xtask::Result<()> {
    let page = std::fs::read_to_string(Workspace::load()?.root().join("docs/wire-format.md"))?;
    let reasons = RefusalReason::ALL.iter().map(|reason| reason.code().to_owned());
    let schemas = json_schemas().into_iter().filter(|(name, _)| ["command", "attribution"].contains(name));
    let names = reasons.chain(schemas.flat_map(|(_, schema)| properties(&schema)));
    let missing: Vec<String> = names.filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/wire-format.md does not name {missing:?}");
    Ok(())
}

/// The names of the properties of a schema and of the alternatives in it.
fn properties(schema: &Value) -> Vec<String> {
    let own = schema["properties"].as_object().into_iter().flat_map(|object| object.keys().cloned());
    own.chain(schema["oneOf"].as_array().into_iter().flatten().flat_map(properties)).collect()
}

#[test]
fn every_crate_says_what_it_is_not() -> xtask::Result<()> {
    check(check_crate_docs)
}

#[test]
fn sources_are_finished_and_short() -> xtask::Result<()> {
    check(check_sources)
}

#[test]
fn no_text_names_a_folder_of_one_machine() -> xtask::Result<()> {
    check(check_forbidden)
}

#[test]
fn generated_files_are_up_to_date() {
    let stale = stale_fixtures(&Workspace::load().unwrap()).unwrap();
    assert!(stale.is_empty(), "`cargo xtask fixtures` writes these anew: {stale:?}");
}
