//! An app or a route fact by fact, in words, and two versions of one beside each other.

/// One thing that is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What is told.
    pub name: &'static str,
    /// How it is; empty when it is not set.
    pub value: String,
}

impl Fact {
    /// A fact.
    pub fn new(name: &'static str, value: &str) -> Self {
        Self { name, value: value.to_owned() }
    }
}

/// One fact as somebody else left it, and as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// What is told.
    pub name: &'static str,
    /// How it is in the draft now.
    pub theirs: String,
    /// How it was typed.
    pub yours: String,
}

impl Versions {
    /// Both beside each other; they tell the same facts in the same order.
    pub fn beside(theirs: Vec<Fact>, yours: Vec<Fact>) -> Vec<Self> {
        let pairs = theirs.into_iter().zip(yours);
        let pair = |(theirs, yours): (Fact, Fact)| Self {
            name: theirs.name,
            theirs: theirs.value,
            yours: yours.value,
        };
        pairs.map(pair).collect()
    }

    /// Whether they are not the same.
    pub fn differ(&self) -> bool {
        self.theirs != self.yours
    }
}
