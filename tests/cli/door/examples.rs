//! The examples of the manual, as they are printed there.

use std::os::unix::fs::PermissionsExt;

use crate::support::{code, copy_for_others, example, sh, skipped, until};

#[test]
fn the_example_that_doubles_a_number_works() {
    for text in ["read n; echo $((2 * n))", "while read n"] {
        let directory = tempfile::tempdir().unwrap();
        let serve = example(&["door", "serve"], text).replace("serve ", "serve --ready r ");
        let call = example(&["door", "call"], "./double");
        sh(&format!("{serve} & until_true [ -e r ]; {call}; ipc door revoke ./double; wait"))
            .within(directory.path())
            .is(0, "42\n", "");
    }
}

#[test]
fn the_example_that_checks_passwords_answers_one_user() {
    if !nix::unistd::Uid::effective().is_root() {
        return skipped("only root becomes another user");
    }
    let (directory, copy) = copy_for_others();
    std::fs::write(directory.path().join("secret"), "open sesame\n").unwrap();
    std::fs::set_permissions(directory.path().join("secret"), PermissionsExt::from_mode(0o600))
        .unwrap();
    let line = example(&["door", "serve"], "--allow-uid 33").replace("serve ", "serve --ready r ");
    let server = sh(&format!("exec {line}")).within(directory.path()).start();
    until("it listens", || directory.path().join("r").exists());
    let ask = |user: u32, password: &str| {
        let line = format!(
            "echo '{password}' | setpriv --reuid {user} --regid {user} --clear-groups {} door call ./check",
            copy.display()
        );
        code(&sh(&line).within(directory.path()).output())
    };
    assert_eq!((ask(33, "open sesame"), ask(33, "guess"), ask(1000, "open sesame")), (0, 1, 6));
    drop(server);
}
