//! TCP on corio's loop, with the futures-io traits.
