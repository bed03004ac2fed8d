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
    /// A file cannot be read or is malformed (`InputError`).
    Input(Message),
    /// A file cannot be written (`OutputError`).
    Output(Message),
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
    /// Where it happened: a path.
    pub place: Option<String>,
}

impl Message {
    /// Joins a problem and its way out.
    pub fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: hint.into(), place: None }
    }

    /// The same, and where it happened.
    pub fn at(self, place: impl Into<String>) -> Self {
        Self { place: Some(place.into()), ..self }
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
            | Error::UnknownName(m)
            | Error::Input(m)
            | Error::Output(m) => write!(f, "{} ({})", m.problem, m.hint),
        }
    }
}

impl std::error::Error for Error {}
