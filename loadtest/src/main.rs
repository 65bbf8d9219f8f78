//! The load test's command line.

fn main() {}
