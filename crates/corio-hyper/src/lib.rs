//! hyper's executor, timer and I/O traits on corio.
