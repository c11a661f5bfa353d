//! The Cedar schema of a release: the fixed part from `policies/gate.cedarschema`, its path parameters and time zones.

use std::collections::BTreeSet;

use cedar_policy::{Schema, SchemaFragment};
use serde_json::{Map, Value, json};

use crate::model::civil::Zone;

/// The fixed part; `Params` and `Local` in it are replaced per release.
const FIXED: &str = include_str!("../../policies/gate.cedarschema");

/// A schema, and the JSON that it was read from, which releases keep.
#[derive(Debug, Clone)]
pub struct ReleaseSchema {
    /// For validating policies.
    pub schema: Schema,
    /// Cedar's JSON schema form.
    pub json: String,
}

/// Why no schema could be made: always a fault of ours, never of a rule book.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the Cedar schema could not be built: {0}")]
pub struct SchemaFault(pub String);

/// The schema for rules over routes with these path parameters, which name these time zones.
///
/// # Errors
/// When the fixed part does not parse or the result is no schema.
pub fn for_release(
    parameters: &BTreeSet<String>,
    zones: &BTreeSet<Zone>,
) -> Result<ReleaseSchema, SchemaFault> {
    let fault = |error: &dyn std::fmt::Display| SchemaFault(error.to_string());
    let (fragment, _warnings) =
        SchemaFragment::from_cedarschema_str(FIXED).map_err(|e| fault(&e))?;
    let mut form = fragment.to_json_value().map_err(|e| fault(&e))?;
    let types = form.pointer_mut("//commonTypes").and_then(Value::as_object_mut);
    let types = types.ok_or_else(|| fault(&"it has no common types"))?;
    let parameter = json!({ "type": "EntityOrCommon", "name": "String", "required": false });
    let clock = json!({ "type": "EntityOrCommon", "name": "Clock" });
    types.insert("Params".to_owned(), record(parameters.iter().cloned(), &parameter));
    types.insert("Local".to_owned(), record(zones.iter().map(Zone::to_string), &clock));
    let json = form.to_string();
    let schema = Schema::from_json_value(form).map_err(|e| fault(&e))?;
    Ok(ReleaseSchema { schema, json })
}

/// A record in which each of these names has this type.
fn record(names: impl Iterator<Item = String>, of: &Value) -> Value {
    let attributes: Map<_, _> = names.map(|name| (name, of.clone())).collect();
    json!({ "type": "Record", "attributes": attributes })
}
