//! Who is asking: access tokens and the extractors that handlers take.

mod extract;
mod token;

pub(crate) use extract::{Admin, Buyer, Manager, Staff, Visitor};
pub(crate) use token::Identity;
#[cfg(test)]
pub(crate) use token::tests::attacks as token_attacks;
pub use token::{Grant, Role, TokenError, TokenVerifier};
