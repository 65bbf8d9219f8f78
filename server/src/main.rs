//! The `onsale` binary.
fn main() {}
