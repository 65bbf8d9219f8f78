//! What this process tells of itself beside its metrics: its log, its traces, and which build it is.

pub(crate) mod build;
#[cfg(feature = "otlp")]
mod collector;
#[cfg(feature = "otlp")]
mod export;
mod lines;
mod log;

#[cfg(feature = "otlp")]
pub(crate) use export::Exporter;
pub(crate) use log::log_to_stderr;
