//! The program from outside: what it prints, what it exits with, beside what else it works.

#![expect(clippy::panic, reason = "this is how a test fails")]

mod harness;
mod imports;
mod reads;
mod serves;
