//! The test suite of the `Store` trait: what every store does, whatever lies behind it.
//!
//! `instantiate!(new)` makes one test of each case. `new` makes a database of its own for each test, in which a store can be
//! opened again and again.

pub(crate) mod appending;
pub(crate) mod attributing;
pub(crate) mod beginning;
pub(crate) mod build;
pub(crate) mod chains;
pub(crate) mod closing;
pub(crate) mod delivering;
pub(crate) mod durability;
pub(crate) mod late;
pub(crate) mod learning;
pub(crate) mod listing;
pub(crate) mod model;
pub(crate) mod threads;

use accredit_store::Store;

/// A place where a store lies while it is closed.
pub(crate) trait Database {
    /// Opens the store, or makes it. It was closed before.
    fn open(&self) -> Box<dyn Store>;
}

/// One test for each case.
macro_rules! instantiate {
    ($new:path) => {
        $crate::suite::instantiate! { $new;
            appending: order_and_positions, refusals_keep_the_others, limits_of_an_action, keys_are_stored_once,
                keys_of_refused_entries_are_free, grounds, heartbeats, counted_elsewhere;
            attributing: by_version, bodies_of_any_length, feed;
            beginning: begins, repeats, capacity, parents, deep_trees;
            chains: of_many_chunks, of_many_segments, of_one_long_call, of_interleaved_actions;
            closing: freezes_and_closes, busy, thaws, every_closing, empty_chains, accepted_is_durable, frozen_is_not_durable;
            delivering: registers, delivers, retries_and_gives_up, replays, several_sinks;
            durability: ends_writing, reopening_changes_nothing, failed_commits_leave_nothing, verifies, sizes, many_chunks_are_reckoned;
            late: comes_back, is_amended, preconditions, refusals, true_completion;
            learning: is_kept_together, old_models_go, begins_anew, is_all_or_nothing;
            listing: filters, pages, children_in_order, idle, oldest;
            model: agrees_with_a_plain_model;
            threads: reading_while_closing, many_writers;
        }
    };
    ($new:path; $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            $(#[test]
            fn $case() {
                crate::suite::$module::$case(&$new());
            })+
        })+
    };
}

pub(crate) use instantiate;
