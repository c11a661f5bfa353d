//! Entra as somebody who can tell what groups are called.

use super::{Answer, NameSource, Unnamed};
use crate::idp::{Idp, IdpError};
use crate::model::id::GroupId;

impl NameSource for Idp {
    fn names<'a>(&'a self, groups: &'a [GroupId]) -> Answer<'a> {
        Box::pin(async move { self.group_names(groups).await.map_err(|error| unnamed(&error)) })
    }
}

fn unnamed(error: &IdpError) -> Unnamed {
    if matches!(error, IdpError::NoPermission { .. }) {
        Unnamed::NoPermission(error.to_string())
    } else {
        Unnamed::Unavailable(error.to_string())
    }
}
