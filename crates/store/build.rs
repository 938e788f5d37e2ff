//! A migration that is added is compiled in, without anything else having changed.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
