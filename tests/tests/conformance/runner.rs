//! Runs, several on one loop.
