//! A future that drives a coroutine: cancellation that unwinds, names, callbacks, scopes.
