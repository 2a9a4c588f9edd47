//! Leaves the tables for unwinding out of the static release for x86-64, which ends at a panic and never unwinds.

use std::env;

fn main() {
    const SCRIPT: &str = "link/no_unwinding.ld";
    println!("cargo::rerun-if-changed={SCRIPT}");
    println!("cargo::rerun-if-changed=link/startup.ld");
    let is = |name, value| env::var(name).is_ok_and(|found| found == value);
    let is_static = is("CARGO_CFG_TARGET_ENV", "musl") && is("CARGO_CFG_TARGET_ARCH", "x86_64");
    if is_static && is("PROFILE", "release") {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{SCRIPT}");
    }
}
