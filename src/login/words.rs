//! What a page about a failed sign-in says: what happened, what to do, and who can mend it.

/// What the page says. None of it comes from the provider or the visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) title: &'static str,
    /// What happened.
    pub(super) sentence: &'static str,
    /// What to do about it.
    pub(super) advice: &'static str,
    pub(super) mender: Mender,
    pub(super) again: Again,
}

/// Who can put it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mender {
    /// The person who reads the page.
    You,
    /// The help desk or an admin of the person's organization.
    HelpDesk,
    /// Those who run Cedargate and registered it in Entra.
    Service,
    /// It passes by itself.
    Nobody,
}

impl Mender {
    /// As the page prints it.
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::You => "You",
            Self::HelpDesk => "Your help desk, or an admin of your organization",
            Self::Service => "The people who run this service",
            Self::Nobody => "Nobody has to; it passes by itself",
        }
    }
}

/// What another try is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// The same once more may work.
    Same,
    /// Only another account can work, so the person is asked which.
    OtherAccount,
}

/// What the reader can mend; `texts` are title, sentence and advice.
pub(super) const fn you(texts: [&'static str; 3]) -> Words {
    words(Mender::You, texts)
}

/// What those who run the service can mend.
pub(super) const fn service(texts: [&'static str; 3]) -> Words {
    words(Mender::Service, texts)
}

/// What passes by itself.
pub(super) const fn nobody(texts: [&'static str; 3]) -> Words {
    words(Mender::Nobody, texts)
}

/// What `mender` can mend, and another try may show mended.
pub(super) const fn words(mender: Mender, texts: [&'static str; 3]) -> Words {
    let [title, sentence, advice] = texts;
    Words { title, sentence, advice, mender, again: Again::Same }
}
