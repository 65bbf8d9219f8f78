//! Event actors over the domain rules.
