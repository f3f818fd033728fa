//! Operating-system signals as events that can be awaited.
