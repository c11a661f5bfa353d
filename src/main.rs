//! The `cedargate` command.

fn main() {}
