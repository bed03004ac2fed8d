//! What can go wrong in the engine: one variant for each class of `tokforge.errors` it can raise.

use std::fmt;

/// A problem with the way out of it. The Python binding maps each variant to the class of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// An option is out of range or contradicts another (`ConfigError`).
    Config(Message),
    /// A tokenizer's table or merges contradict themselves (`FormatError`).
    Format(Message),
    /// A regex is invalid, or exceeded its step budget (`PatternError`).
    Pattern(Message),
    /// An id names no token (`TokenIdError`).
    TokenId(Message),
    /// A name stands for nothing (`UnknownNameError`).
    UnknownName(Message),
    /// The caller asked to stop (`KeyboardInterrupt`).
    Interrupted,
}

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The value and why it is refused.
    pub problem: String,
    /// The way out.
    pub hint: String,
}

impl Message {
    /// Joins a problem and its way out.
    pub fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: hint.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Interrupted => write!(f, "interrupted"),
            Error::Config(m)
            | Error::Format(m)
            | Error::Pattern(m)
            | Error::TokenId(m)
            | Error::UnknownName(m) => write!(f, "{} ({})", m.problem, m.hint),
        }
    }
}

impl std::error::Error for Error {}
