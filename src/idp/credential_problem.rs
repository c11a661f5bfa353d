//! What can be wrong with a credential of ours before Entra sees it. Each names the file and what to do.

use std::path::PathBuf;

use crate::model::time::Timestamp;

/// Which of the two credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// The one in `[entra]`.
    First,
    /// The one in `[entra.second]`.
    Second,
}

impl Which {
    /// The table of the settings that names it.
    pub fn table(self) -> &'static str {
        match self {
            Self::First => "entra",
            Self::Second => "entra.second",
        }
    }
}

/// Why a credential can't be used. Holds nothing of what is in the files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialProblem {
    /// A file can't be read.
    #[error("can't read `{}`: {why}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// No certificate in it.
    #[error("`{}` holds no certificate in PEM form", file.display())]
    NoCertificate {
        /// Which.
        file: PathBuf,
    },
    /// No private key in it.
    #[error("`{}` holds no private key in PEM form", file.display())]
    NoKey {
        /// Which.
        file: PathBuf,
    },
    /// The key is under a password.
    #[error("the key in `{}` is encrypted; write it without a password", file.display())]
    EncryptedKey {
        /// Which.
        file: PathBuf,
    },
    /// The key is of a kind that Entra does not take, or of a size that is not safe.
    #[error("the key in `{}` is not an RSA key of 2048 to 4096 bits", file.display())]
    NotRsa {
        /// Which.
        file: PathBuf,
    },
    /// The certificate was made for another key.
    #[error("the certificate in `{}` does not match the key in `{}`", certificate.display(), key.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate or token is too old.
    #[error("what is in `{}` expired at {at}", file.display())]
    Expired {
        /// Which.
        file: PathBuf,
        /// When.
        at: Timestamp,
    },
    /// The certificate is not valid yet.
    #[error("what is in `{}` is valid from {from} only", file.display())]
    NotYetValid {
        /// Which.
        file: PathBuf,
        /// When.
        from: Timestamp,
    },
    /// The token file is empty.
    #[error("`{}` is empty; the platform that writes the token there has not done so", file.display())]
    NoToken {
        /// Which.
        file: PathBuf,
    },
    /// The token file holds something else.
    #[error("`{}` does not hold a token (three parts with dots between)", file.display())]
    NotAToken {
        /// Which.
        file: PathBuf,
    },
}
