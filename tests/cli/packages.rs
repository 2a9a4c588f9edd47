//! What `make deb`, `make dist` and `make install` build: it can be installed, runs, and is removed whole.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{Run, binary, sh, skipped};

/// A directory of a test, with the program under test without its tables for debuggers.
struct Workshop(TempDir);

impl Workshop {
    fn new() -> Self {
        let workshop = Self(tempfile::tempdir().expect("a directory can be made"));
        workshop.run("strip -o program \"$0\" 2>/dev/null || cp \"$0\" program").succeeds();
        workshop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A line of shell in this directory. `$0` is the program under test, `$1` the project. A caller
    /// that is make has variables for the makes below it, which this one is not.
    fn run(&self, line: &str) -> Run {
        let line = format!("unset MAKEFLAGS MFLAGS MAKELEVEL; set -e; {line}");
        sh(&line).word(binary()).word(env!("CARGO_MANIFEST_DIR")).within(self.0.path())
    }

    /// Fills the directory `name` with the contents of a package.
    fn fill(&self, name: &str, prefix: &str) {
        let line = format!("\"$1\"/packaging/tree {name} '{prefix}' STATIC=$PWD/program REMOTE=");
        self.run(&line).succeeds();
    }
}

fn has(command: &str) -> bool {
    let found = sh(&format!("command -v {command}")).output().status.success();
    if !found {
        skipped(&format!("there is no {command}"));
    }
    found
}

/// The files below a directory, by their paths in it.
fn files(directory: &Path) -> Vec<String> {
    let found = sh("cd \"$0\" && find . -type f | sort").word(directory).succeeds();
    found.lines().map(str::to_owned).collect()
}

/// Files that every package has, below its prefix.
const PARTS: &[&str] = &[
    "bin/ipc",
    "share/man/man1/ipc-sem-wait.1",
    "share/man/man5/ipc-queue.5",
    "share/man/man7/ipc.7",
    "share/bash-completion/completions/ipc",
    "share/fish/vendor_completions.d/ipc.fish",
    "share/doc/ipc-suite/README.md",
    "share/doc/ipc-suite/docs/tour.md",
    "share/doc/ipc-suite/examples/workers.sh",
];

#[test]
fn the_debian_package_is_installed_and_removed() {
    if !has("make") || !has("dpkg-deb") {
        return;
    }
    let workshop = Workshop::new();
    workshop.fill("tree", "/usr");
    let build = "DPKG_DEB_COMPRESSOR_TYPE=none \"$1\"/packaging/deb tree .";
    let package = workshop.run(build).succeeds();
    let package = package.trim();

    let listed = workshop.run(&format!("dpkg-deb -c {package}")).succeeds();
    for part in PARTS.iter().chain(&["share/doc/ipc-suite/copyright"]) {
        assert!(listed.contains(&format!(" ./usr/{part}")), "{part} is not in {listed}");
    }
    let programs: Vec<&str> = listed.lines().filter(|line| line.contains(" ./usr/bin/")).collect();
    assert!(programs.iter().all(|line| !line.contains(" -> ")), "links to ipc: {programs:?}");

    if !nix::unistd::Uid::effective().is_root() {
        skipped("only root installs a package");
        return;
    }
    let dpkg = "dpkg --root=$PWD/root --log=/dev/null --force-depends";
    let prepare = "mkdir -p root/var/lib/dpkg/info root/var/lib/dpkg/updates
                   mkdir -p root/var/lib/dpkg/triggers; : >root/var/lib/dpkg/status";
    workshop.run(&format!("{prepare}; {dpkg} -i {package} >log 2>&1 || cat log")).succeeds();
    let example = "PATH=$PWD/root/usr/bin:$PATH root/usr/share/doc/ipc-suite/examples/workers.sh";
    let shown = workshop.run(example).succeeds();
    assert_eq!(shown, "8 jobs done, never more than 2 at a time\n");
    workshop.run(&format!("{dpkg} -P ipc-suite >log 2>&1 || cat log")).succeeds();
    assert!(!workshop.path("root/usr").exists());
}

#[test]
fn the_tarball_has_the_same_bytes_wherever_it_is_packed() {
    if !has("make") {
        return;
    }
    let workshop = Workshop::new();
    workshop.fill("one", "");
    workshop.fill("elsewhere", "");
    workshop.run("touch -d 2001-01-01 elsewhere/bin/ipc; umask 077; mkdir a b").succeeds();
    let pack = "\"$1\"/packaging/tarball one a target; \"$1\"/packaging/tarball elsewhere b target";
    let names = workshop.run(pack).succeeds();
    let [one, other] = names.lines().collect::<Vec<_>>()[..] else { panic!("{names}") };
    let bytes = |name| fs::read(workshop.path(name)).expect("it was written");
    assert!(bytes(one) == bytes(other), "{one} and {other} differ");

    workshop.run(&format!("mkdir c; tar -xzf {one} --strip-components=1 -C c")).succeeds();
    let unpacked = files(&workshop.path("c"));
    for part in PARTS.iter().chain(&["share/doc/ipc-suite/THIRD-PARTY"]) {
        assert!(unpacked.contains(&format!("./{part}")), "{part} is not in {unpacked:?}");
    }
    let version = format!("ipc {}\n", env!("CARGO_PKG_VERSION"));
    Run::new(workshop.path("c/bin/ipc"), &["--version"]).is(0, &version, "");
}

#[test]
fn every_library_has_its_licence_in_the_packages() {
    let workshop = Workshop::new();
    let licences = workshop.run("\"$1\"/packaging/licences").succeeds();
    for library in ["clap_builder", "libc", "nix", "serde_json"] {
        assert!(licences.contains(&format!("\n{library} ")), "{library} is missing");
    }
    assert!(licences.contains("\nmusl: MIT\n"));
    assert!(!licences.contains("no text of its own"), "{licences}");
}

#[test]
fn uninstall_removes_what_install_has_installed() {
    if !has("make") {
        return;
    }
    let workshop = Workshop::new();
    let make = "make -s -C \"$1\" DESTDIR=$PWD/root PREFIX=/opt STATIC=$PWD/program REMOTE=";
    workshop.run(&format!("{make} install-files")).succeeds();
    let installed = files(&workshop.path("root"));
    for part in PARTS {
        assert!(installed.contains(&format!("./opt/{part}")), "{part} is not in {installed:?}");
    }
    workshop.run("root/opt/bin/ipc applets --install root/opt/bin sem").succeeds();
    assert!(workshop.path("root/opt/bin/sem").is_symlink());
    workshop.run(&format!("{make} uninstall >log 2>&1 || cat log")).succeeds();
    assert_eq!(files(&workshop.path("root")), [""; 0]);
    assert!(!workshop.path("root/opt/bin/sem").is_symlink());
}
