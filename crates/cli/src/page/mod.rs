//! What people read: pure functions of data and a [`Screen`](crate::screen::Screen), so that a test can hold every page.

mod bars;
mod chain;
mod head;
mod insights;
mod list;
mod show;
mod table;
#[cfg(test)]
mod tests;
mod top;
mod why;

pub(crate) use insights::{insights_page, why_this_method};
pub(crate) use list::{ListPage, list_page};
pub(crate) use show::{ShowPage, show_page};
pub(crate) use table::{Cell, Column, table};
pub(crate) use top::{TopPage, top_page};
pub(crate) use why::{Child, Explanation, VersionLine, why_page};
