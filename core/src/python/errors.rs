//! One engine error becomes one class of `tokforge.errors`; nowhere else is that decided.

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::{import_exception, PyErr};

use crate::error::{Error, Message};

import_exception!(tokforge.errors, ConfigError);
import_exception!(tokforge.errors, FormatError);
import_exception!(tokforge.errors, InputError);
import_exception!(tokforge.errors, OutputError);
import_exception!(tokforge.errors, PatternError);
import_exception!(tokforge.errors, TokenIdError);
import_exception!(tokforge.errors, UnknownNameError);

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let args = |Message { problem, hint, place }: Message| (problem, hint, place);
        match error {
            Error::Config(message) => ConfigError::new_err(args(message)),
            Error::Format(message) => FormatError::new_err(args(message)),
            Error::Pattern(message) => PatternError::new_err(args(message)),
            Error::TokenId(message) => TokenIdError::new_err(args(message)),
            Error::UnknownName(message) => UnknownNameError::new_err(args(message)),
            Error::Input(message) => InputError::new_err(args(message)),
            Error::Output(message) => OutputError::new_err(args(message)),
            Error::Interrupted => PyKeyboardInterrupt::new_err(()),
        }
    }
}
