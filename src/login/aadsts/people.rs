//! What the person who signs in, their organization, or time can mend.

use super::{Mender, Row, other_account, row};

pub(super) const TABLE: &[Row] = &[
    // Which account.
    other_account(
        &[16_000, 50_020, 50_034, 51_004],
        Mender::You,
        [
            "This account is not known here",
            "The account that you chose at Microsoft does not exist in the organization that runs this site.",
            "Use your work account, or ask the organization for an invitation.",
        ],
    ),
    other_account(
        &[500_208],
        Mender::You,
        [
            "This kind of account can't be used here",
            "You chose a personal account, or one of another kind than this site takes.",
            "Use your work account.",
        ],
    ),
    row(
        &[50_105],
        Mender::HelpDesk,
        [
            "You have not been given access to this site",
            "Your account is fine, but nobody has assigned it to this site in Entra.",
            "Ask your help desk to assign you or one of your groups to it.",
        ],
    ),
    // The account itself.
    row(
        &[50_053],
        Mender::HelpDesk,
        [
            "Your account is locked",
            "Microsoft locked it after too many failed tries, or because they came from a suspicious address.",
            "Wait a quarter of an hour and try again, or ask your help desk to unlock it.",
        ],
    ),
    row(
        &[50_055],
        Mender::You,
        [
            "Your password has expired",
            "Microsoft wants a new one before it lets you in.",
            "Try again, and choose a new password when Microsoft asks for it.",
        ],
    ),
    row(
        &[50_144],
        Mender::HelpDesk,
        [
            "Your work password has expired",
            "It belongs to your organization's own directory, where Microsoft can't change it.",
            "Change it on your work computer, or ask your help desk; then try again.",
        ],
    ),
    row(
        &[50_056],
        Mender::HelpDesk,
        [
            "Your account has no password that works here",
            "Microsoft knows the account, but has no password for it.",
            "Ask your help desk how you are meant to sign in.",
        ],
    ),
    row(
        &[50_057],
        Mender::HelpDesk,
        [
            "Your account is switched off",
            "An admin of your organization has disabled it.",
            "Ask your help desk why, and whether it can be switched on again.",
        ],
    ),
    row(
        &[50_126],
        Mender::You,
        [
            "Microsoft did not accept your user name or password",
            "One of the two was wrong.",
            "Try again. If you have forgotten the password, reset it on Microsoft's page.",
        ],
    ),
    // What a person still has to do at Microsoft.
    row(
        &[50_058],
        Mender::You,
        [
            "You are not signed in at Microsoft",
            "This browser has no sign-in there that could have been used.",
            "Try again, and sign in on Microsoft's page.",
        ],
    ),
    row(
        &[50_072, 50_079],
        Mender::You,
        [
            "You need a second factor first",
            "Microsoft wants you to set one up, such as an authenticator app on your phone.",
            "Try again, and follow the steps that Microsoft shows.",
        ],
    ),
    row(
        &[50_074, 50_076],
        Mender::You,
        [
            "A second factor is needed",
            "Microsoft wants a code or a prompt on your phone before it lets you in here.",
            "Try again, and confirm it when Microsoft asks.",
        ],
    ),
    row(
        &[50_078],
        Mender::You,
        [
            "Your second factor is too long ago",
            "Your organization wants it given again from time to time.",
            "Try again, and confirm it when Microsoft asks.",
        ],
    ),
    row(
        &[50_158],
        Mender::You,
        [
            "Another check was not finished",
            "Your organization wants you confirmed by a service outside Microsoft, and that did not come to an end.",
            "Try again, and finish that check.",
        ],
    ),
    row(
        &[50_140, 50_199],
        Mender::You,
        [
            "Microsoft asked you something",
            "It wanted to know whether to keep you signed in, or whether you trust this site, and got no answer.",
            "Try again, and answer what Microsoft asks.",
        ],
    ),
    row(
        &[50_089, 50_132, 50_133, 50_173],
        Mender::You,
        [
            "Your sign-in at Microsoft is over",
            "Your password was changed, or somebody ended your sign-ins there.",
            "Try again, and sign in anew on Microsoft's page.",
        ],
    ),
    row(
        &[70_043],
        Mender::You,
        [
            "Microsoft wants you to sign in again",
            "Your organization limits how long a sign-in lasts.",
            "Try again, and sign in anew on Microsoft's page.",
        ],
    ),
    row(
        &[65_004],
        Mender::You,
        [
            "Sign-in cancelled",
            "You stopped at Microsoft, or did not agree to what this site asks for there. Nothing was changed.",
            "Try again when you like.",
        ],
    ),
    // What the person's organization forbids.
    row(
        &[50_097],
        Mender::HelpDesk,
        [
            "Microsoft can't tell which device this is",
            "Your organization lets known devices in here, and this browser did not say which one it runs on.",
            "Try again in the browser of your work computer. If this stays, ask your help desk.",
        ],
    ),
    row(
        &[53_000],
        Mender::HelpDesk,
        [
            "Your device does not meet your organization's rules",
            "It may lack an update, encryption or a screen lock.",
            "Open your organization's device app to see what is missing, or ask your help desk.",
        ],
    ),
    row(
        &[53_001],
        Mender::HelpDesk,
        [
            "Your device does not belong to your organization",
            "Only devices that are joined to it may open this site.",
            "Use your work computer, or ask your help desk.",
        ],
    ),
    row(
        &[53_002],
        Mender::You,
        [
            "This browser is not approved",
            "Your organization names the browsers that may open this site.",
            "Use one of those. Your help desk knows which.",
        ],
    ),
    row(
        &[53_004],
        Mender::HelpDesk,
        [
            "You can't set up a second factor from here",
            "Your organization wants one, and this sign-in looks too risky for setting one up.",
            "Ask your help desk to set it up with you.",
        ],
    ),
    row(
        &[53_003, 50_131, 530_032, 530_035],
        Mender::HelpDesk,
        [
            "Your organization does not allow this sign-in",
            "One of its access rules blocks it: for this place, this device, or this way of signing in.",
            "Ask your help desk, and give them the code and the correlation id below.",
        ],
    ),
    row(
        &[53_011],
        Mender::HelpDesk,
        [
            "Microsoft holds this sign-in for risky",
            "Something about your account or this sign-in looks as if it were not you.",
            "Ask your help desk to look at your account.",
        ],
    ),
    row(
        &[500_021, 500_022],
        Mender::HelpDesk,
        [
            "Your network does not let you sign in here",
            "It allows sign-ins to certain organizations only, and this is none of them.",
            "Ask the help desk of the network that you are in, or use another one.",
        ],
    ),
    row(
        &[500_212],
        Mender::HelpDesk,
        [
            "Your own organization does not let you in here",
            "It does not allow its people to be guests of the organization that runs this site.",
            "Ask the help desk of your own organization.",
        ],
    ),
    row(
        &[500_213],
        Mender::Service,
        [
            "Guests of your organization are not let in here",
            "The organization that runs this site does not take people of yours.",
            "Ask the people who invited you.",
        ],
    ),
    row(
        &[40_008, 40_009],
        Mender::HelpDesk,
        [
            "Your organization's own sign-in failed",
            "Microsoft handed you over to it, and got no usable answer.",
            "Try again later. If this stays, tell your help desk.",
        ],
    ),
    // Consent.
    row(
        &[65_001, 90_094],
        Mender::HelpDesk,
        [
            "An admin has to agree first",
            "Nobody has agreed yet that this site may read your profile from Microsoft.",
            "Ask an admin of your organization to grant consent to this site in Entra.",
        ],
    ),
    row(
        &[90_095],
        Mender::HelpDesk,
        [
            "Your request waits for an admin",
            "Microsoft has passed your request for access on; an admin has not answered it yet.",
            "Try again once it is granted, or remind an admin of your organization.",
        ],
    ),
    row(
        &[9_002_341],
        Mender::You,
        [
            "You have to agree first",
            "Microsoft wants your consent before it signs you in to this site.",
            "Try again, and agree when Microsoft asks.",
        ],
    ),
    // A sign-in that got stale on the way.
    row(
        &[70_000, 70_008, 700_082],
        Mender::You,
        [
            "This sign-in took too long",
            "What Microsoft gave you for it is no longer good.",
            "Try again.",
        ],
    ),
    row(
        &[54_005],
        Mender::You,
        [
            "This sign-in was used already",
            "Each sign-in works once, and this page was opened again, mostly by going back.",
            "Try again.",
        ],
    ),
    row(
        &[50_147, 501_481, 501_491],
        Mender::You,
        [
            "This sign-in got mixed up with another",
            "What came back does not belong to what this browser began.",
            "Close other sign-in pages and try again. If this stays, tell the people who run this service.",
        ],
    ),
    row(
        &[900_561],
        Mender::You,
        [
            "Microsoft's page was opened in the wrong way",
            "That happens when a sign-in page is reached by going back or from a bookmark.",
            "Try again from the page that you want to open.",
        ],
    ),
    // Waiting helps.
    row(
        &[40_010, 50_033, 90_006, 90_012, 90_024, 90_033, 90_090],
        Mender::Nobody,
        [
            "Microsoft has trouble right now",
            "Its sign-in failed on its own side.",
            "Try again in a few minutes. People who are signed in already are not affected.",
        ],
    ),
    row(
        &[90_055],
        Mender::Nobody,
        [
            "Microsoft gets too many requests",
            "It holds back your organization's sign-ins for a while.",
            "Try again in a few minutes.",
        ],
    ),
    row(
        &[50_196],
        Mender::Nobody,
        [
            "Microsoft stopped a sign-in that went round in circles",
            "This browser asked for the same sign-in many times within minutes.",
            "Wait five minutes, then try again. If this stays, tell the people who run this service.",
        ],
    ),
];
