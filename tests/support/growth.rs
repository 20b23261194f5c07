//! How costs may grow with sizes.

/// What twice as much may cost: one in twenty more than twice.
pub(crate) const TWICE: f64 = 2.1;
