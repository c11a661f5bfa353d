//! What the `demo` command needs beside the gate and the simulator: something worth protecting.

pub mod sample_app;
