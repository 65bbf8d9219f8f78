//! The engine: one actor per event over the rules of `onsale-domain`.
pub mod port;
