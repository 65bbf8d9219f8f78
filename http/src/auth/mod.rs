//! Who is asking: the extractors that handlers take.
//!
//! A handler names what it needs as a type: a [`Visitor`], a [`Guest`] who wants to get in, an [`Account`], a [`Buyer`], or a [`Staff`] with a right
//! (`right.rs`). Who is not that never reaches it.

mod extract;
mod guest;
pub(crate) mod right;

pub(crate) use extract::{Account, Buyer, Staff, Visitor};
pub(crate) use guest::Guest;
