//! Figures, and where they must lie.

/// A figure and where it must lie.
pub(crate) struct Target {
    name: &'static str,
    found: f64,
    bound: Bound,
}

enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    /// At most this.
    pub(crate) fn at_most(name: &'static str, found: f64, bound: f64) -> Self {
        Self { name, found, bound: Bound::AtMost(bound) }
    }

    /// At least this.
    pub(crate) fn at_least(name: &'static str, found: f64, bound: f64) -> Self {
        Self { name, found, bound: Bound::AtLeast(bound) }
    }

    /// PASS or FAIL, what it is, what was found and where it must lie.
    pub(crate) fn line(&self) -> String {
        let Self { name, found, bound } = self;
        let (met, words) = match bound {
            Bound::AtMost(bound) => (found <= bound, format!("at most {bound}")),
            Bound::AtLeast(bound) => (found >= bound, format!("at least {bound}")),
        };
        format!("{}  {name}: {found:.2} (target: {words})", if met { "PASS" } else { "FAIL" })
    }
}
