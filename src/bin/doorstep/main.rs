//! The program `doorstep`.
fn main() {}
