//! Borrowing the memory of Python buffers (bytes, mmap, numpy arrays) while the GIL is released.

use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;

/// A contiguous buffer that stays exported, hence alive and of fixed size, while this lives.
pub struct Borrowed<T: Element>(PyBuffer<T>);

impl<T: Element + Sync> Borrowed<T> {
    /// The elements.
    pub fn as_slice(&self) -> &[T] {
        if self.0.item_count() == 0 {
            return &[];
        }
        // SAFETY: `extract` checked that the buffer is C-contiguous and of T's format; the export is
        // held by `self`, so the memory is neither freed nor resized. A caller that writes into it from
        // another thread meanwhile gets unspecified ids, as with any library that releases the GIL.
        unsafe { std::slice::from_raw_parts(self.0.buf_ptr().cast::<T>(), self.0.item_count()) }
    }
}

impl<'py, T: Element> FromPyObject<'_, 'py> for Borrowed<T> {
    type Error = PyErr;

    fn extract(object: Borrowed1<'_, 'py>) -> PyResult<Self> {
        let buffer = PyBuffer::<T>::get(&object)?;
        if !buffer.is_c_contiguous() {
            return Err(PyBufferError::new_err("the buffer is not contiguous"));
        }
        Ok(Self(buffer))
    }
}

type Borrowed1<'a, 'py> = pyo3::Borrowed<'a, 'py, PyAny>;

/// A number that numpy reads back in the machine's byte order.
pub trait Number: Copy {}
impl Number for u32 {}
impl Number for u64 {}
impl Number for i64 {}

/// The memory of numbers as bytes, in the machine's byte order.
pub fn as_bytes<T: Number>(numbers: &[T]) -> &[u8] {
    // SAFETY: the only implementors are integers, which have no padding, and any byte is a valid u8.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}
