//! corio's tests.
