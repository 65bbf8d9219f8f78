//! Journals, projections and repositories.
