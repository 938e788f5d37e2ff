//! Makes sure that an added migration is compiled in, even if nothing else has changed.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
