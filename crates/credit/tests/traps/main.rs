//! The traps of credit assignment: for each one the plain method that falls into it, and that what is learned does not,
//! on the same recorded runs.

mod ending;
mod filler;
mod following;
mod naive;
mod places;
mod support;
