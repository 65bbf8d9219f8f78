//! The comparison's command line.

fn main() {}
