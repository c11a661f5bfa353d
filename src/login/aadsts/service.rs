//! What is wrong with the registration or its credentials: for those who run Cedargate.

use super::{Mender, Row, row};

const NOT_SET_UP: &str = "Sign-in is not set up correctly";

pub(super) const TABLE: &[Row] = &[
    row(
        &[7_000_222],
        Mender::Service,
        [
            "This site's own credential has expired",
            "The client secret that it signs in to Microsoft with is too old, so nobody can sign in.",
            "Tell the people who run this service: the app registration needs a new client secret.",
        ],
    ),
    row(
        &[7_000_215, 70_002],
        Mender::Service,
        [
            "This site's own credential is not accepted",
            "Microsoft does not know the client secret, so nobody can sign in.",
            "Tell the people who run this service: often the secret's id was copied in place of its value.",
        ],
    ),
    row(
        &[7_000_218, 700_025],
        Mender::Service,
        [
            NOT_SET_UP,
            "This site and its app registration disagree on whether it has a credential.",
            "Tell the people who run this service: the registration must be of the platform Web, with a credential.",
        ],
    ),
    row(
        &[50_012, 700_021, 700_027, 700_030],
        Mender::Service,
        [
            "This site's own certificate is not accepted",
            "Microsoft does not know the certificate, or does not trust it, so nobody can sign in.",
            "Tell the people who run this service: the certificate must be uploaded to the app registration.",
        ],
    ),
    row(
        &[700_024],
        Mender::Service,
        [
            "The clock of this service is wrong",
            "What it signed for Microsoft seems to be from another time, so nobody can sign in.",
            "Tell the people who run this service to set the clock of its machine.",
        ],
    ),
    row(
        &[70_021, 700_211, 700_212, 700_213],
        Mender::Service,
        [
            "This site's own identity is not accepted",
            "Microsoft finds no federated credential that fits it. After a change that can take some minutes.",
            "Try again in a few minutes. If this stays, tell the people who run this service.",
        ],
    ),
    row(
        &[700_229],
        Mender::Service,
        [
            NOT_SET_UP,
            "The identity that this site signs in to Microsoft with is of the wrong kind.",
            "Tell the people who run this service: the federated credential needs a token of an app, not of a person.",
        ],
    ),
    row(
        &[700_016],
        Mender::Service,
        [
            "Microsoft does not know this site",
            "The client id is wrong, or belongs to another tenant.",
            "Tell the people who run this service to compare both ids with the app registration.",
        ],
    ),
    row(
        &[50_059, 90_002, 90_019],
        Mender::Service,
        [
            "Microsoft does not know the tenant",
            "This site names a tenant that does not exist, or none at all.",
            "Tell the people who run this service to check the tenant id.",
        ],
    ),
    row(
        &[700_005],
        Mender::Service,
        [
            NOT_SET_UP,
            "The sign-in was begun in one tenant and ended in another.",
            "Tell the people who run this service to check the tenant id.",
        ],
    ),
    row(
        &[50_194, 90_130, 9_001_023, 9_002_332],
        Mender::Service,
        [
            NOT_SET_UP,
            "This site asks at an address that its app registration does not allow.",
            "Tell the people who run this service: the tenant's own id belongs into the settings.",
        ],
    ),
    row(
        &[90_038, 900_382, 900_432, 900_439],
        Mender::Service,
        [
            "This site asks in the wrong Microsoft cloud",
            "The tenant lives in another national cloud than the one that was asked.",
            "Tell the people who run this service to check the setting for the cloud.",
        ],
    ),
    row(
        &[50_011, 900_971],
        Mender::Service,
        [
            "This site's address is not registered",
            "Microsoft sends people back to registered addresses only, and this one is not among them.",
            "Tell the people who run this service to compare the redirect URI, letter by letter.",
        ],
    ),
    row(
        &[700_054, 700_084, 9_002_326, 9_002_327],
        Mender::Service,
        [
            NOT_SET_UP,
            "The app registration is of another kind than this site needs.",
            "Tell the people who run this service: the redirect URI must be of the platform Web.",
        ],
    ),
    row(
        &[70_001, 7_000_112],
        Mender::Service,
        [
            "This site is switched off in Entra",
            "Its app registration is disabled, so nobody can sign in.",
            "Tell the people who run this service, or an admin of the tenant.",
        ],
    ),
    row(
        &[500_011, 65_005, 650_052, 650_053, 650_056, 650_057],
        Mender::Service,
        [
            NOT_SET_UP,
            "Microsoft lacks a permission or a service that this site asks for.",
            "Tell the people who run this service: an admin has to grant the app registration's permissions.",
        ],
    ),
    row(
        &[28_002, 28_003, 70_011, 700_022, 700_023, 90_009],
        Mender::Service,
        [
            NOT_SET_UP,
            "Microsoft does not accept the permissions that this site asks for.",
            "Tell the people who run this service, and give them the code below.",
        ],
    ),
    row(
        &[50_146, 501_461],
        Mender::Service,
        [
            NOT_SET_UP,
            "The app registration uses a signing key or claims of its own that don't fit together.",
            "Tell the people who run this service to look at the token settings of the app registration.",
        ],
    ),
    row(
        &[70_003, 90_014, 90_015, 900_144, 901_002, 9_002_313, 9_002_325],
        Mender::Service,
        [
            "Microsoft can't read what this site asks",
            "The request was incomplete or malformed, which is a fault of this service.",
            "Tell the people who run this service, and give them the code and the correlation id below.",
        ],
    ),
];
