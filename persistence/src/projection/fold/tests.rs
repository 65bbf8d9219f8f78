//! What folding must do.
