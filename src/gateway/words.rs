//! What a refused person reads: why, what would help, and how that is meant.

use super::obstacle::Obstacle;
use super::step_up::{Kind, Offer};
use crate::model::grant::Method;
use crate::model::record::Reason;
use crate::model::route::Disclosure;
use crate::web::page::Tone;

/// What a refused person reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    /// How far the refusal goes, after "You can't open Finance".
    pub(super) limit: &'static str,
    pub(super) why: String,
    pub(super) advice: Option<String>,
    pub(super) tone: Tone,
    pub(super) retry: Retry,
}

/// Whether the same page may open at another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    /// It may, once something else has changed.
    Offered,
    /// It would only be refused again.
    Useless,
}

impl Words {
    fn new(why: impl Into<String>, advice: Option<&str>) -> Self {
        Self {
            limit: "",
            why: why.into(),
            advice: advice.map(str::to_owned),
            tone: Tone::Plain,
            retry: Retry::Useless,
        }
    }

    fn careful(self) -> Self {
        Self { tone: Tone::Careful, ..self }
    }

    fn again(self) -> Self {
        Self { retry: Retry::Offered, ..self }
    }

    /// Where nothing of the person's own stands in the way.
    pub(super) fn of_reason(reason: Reason) -> Self {
        match reason {
            Reason::NoGrant | Reason::NotSignedIn | Reason::Granted => Self::new(
                "None of your groups or roles opens this page as things stand.",
                Some("Ask for access, and give the decision below."),
            ),
            Reason::Forbidden => Self::new(
                "A rule closes this page to you.",
                Some("Ask whoever looks after it why, and give the decision below."),
            ),
            Reason::NoRoute => Self::new(
                "This address is not among the pages of the app that the gate knows.",
                Some("Check the address for a typing mistake, or start from the app's home page."),
            ),
            Reason::PolicyError => Self::new(
                "Something failed on our side while this was decided. You were refused to be safe.",
                Some("It is nothing that you did. Try again in a moment."),
            )
            .careful()
            .again(),
        }
    }

    /// What stands in the way, in as many words as the route allows.
    pub(super) fn of_obstacle(obstacle: &Obstacle, disclosure: Disclosure) -> Self {
        match (obstacle, told(obstacle, disclosure)) {
            (Obstacle::Network, _) => Self {
                limit: "from here",
                ..Self::new(
                    "You may open this page, but not from the network that you are in.",
                    Some("Connect to your organization's network or its VPN, then try again."),
                )
                .careful()
                .again()
            },
            (Obstacle::Hours(_), opens) => Self {
                limit: "at this hour",
                advice: Some(opens.unwrap_or_else(|| "Come back at another time.".to_owned())),
                ..Self::new("You may open this page, but only at certain hours.", None).careful()
            },
            (Obstacle::Ended(_), ended) => Self::new(
                ended.unwrap_or_else(|| "Your access to this page has ended.".to_owned()),
                Some("Ask for it to be extended, and give the decision below."),
            ),
            (Obstacle::Proof, _) => Self::new(
                "This page needs a stronger or a more recent proof of who you are.",
                Some("Sign out, sign in again, and open the page once more."),
            )
            .careful(),
            (Obstacle::Own, _) => Self::new(
                "Everybody has a place of their own here, and this one is somebody else's.",
                Some("Check the address for a typing mistake."),
            ),
            (Obstacle::Suspended, _) => Self::new(
                "This account is kept out of this page.",
                Some(
                    "If you did not expect that, ask your help desk, and give the decision below.",
                ),
            )
            .careful(),
            (Obstacle::Circumstances, _) => Self::new(
                "A rule keeps this page closed to you as things stand.",
                Some(
                    "At another time, from another network or with a stronger sign-in it may open.",
                ),
            )
            .careful(),
        }
    }

    /// Something that the person can prove at once.
    pub(super) fn of_offer(offer: &Offer, method: Method) -> Self {
        let advice = if method.is_read() {
            "Confirm it at Microsoft; you come back to this page."
        } else {
            "What you sent was not kept. Confirm it at Microsoft; you come back to the page before, and send it again."
        };
        let why = match offer.kind() {
            Kind::Mfa => {
                "This needs a second factor, such as a code or a prompt on your phone, and you have not given one lately."
            }
            Kind::Context => {
                "This needs a stronger proof of who you are than the one you signed in with."
            }
            Kind::Fresh => {
                "This needs a recent sign-in, and it is too long since you proved who you are."
            }
        };
        Self { limit: "yet", ..Self::new(why, Some(advice)).careful() }
    }
}

/// What only a helpful route tells.
fn told(obstacle: &Obstacle, disclosure: Disclosure) -> Option<String> {
    match (obstacle, disclosure) {
        (Obstacle::Hours(Some(begin)), Disclosure::Helpful) => {
            Some(format!("It opens again {begin}."))
        }
        (Obstacle::Ended(end), Disclosure::Helpful) => {
            Some(format!("Your access to this page ended {end}."))
        }
        _ => None,
    }
}
