//! The protocol of a spool: puts, claims and their ends.

use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use super::batch::{Batch, LIMIT, Scan};
use super::claim::{self, Attempt, Claim, FOREIGN_NAME};
use super::directory::{Error, Removal, Spool};
use super::entry::Entry;
use super::failure::{self, Report};
use super::history::{self, Keep};
use super::name::MessageName;
use super::part::Part;
use super::put::{Draft, Label, Put};
use super::scan::{self, Found};
use crate::base::errno::Errno;
use crate::sys::stream;

const DAY: Keep = Keep(Duration::from_secs(86400));

struct Scene {
    directory: tempfile::TempDir,
    spool: Spool,
}

fn scene() -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::create(&directory.path().join("spool"), 0o700).unwrap();
    Scene { directory, spool }
}

impl Scene {
    fn put(&self, label: &Label, text: &str) -> Put {
        let draft = Draft::new(&self.spool, label).unwrap();
        stream::write(draft.file(), text.as_bytes()).unwrap();
        let put = draft.publish().unwrap();
        self.spool.sync(Part::Ready).unwrap();
        put
    }

    fn put_named(&self, name: &str, text: &str) -> Put {
        let name = Some(MessageName::new(name.as_bytes()).unwrap());
        self.put(&Label { name, ..Label::default() }, text)
    }

    fn batch(&self) -> Batch {
        let mut scan = Scan::of(LIMIT, u64::MAX);
        for found in scan::messages(&self.spool, Part::Ready).unwrap() {
            match found.unwrap() {
                Found::Message(entry, _) => scan.offer(entry),
                Found::Foreign(name) => {
                    self.spool.quarantine(Part::Ready, &name, FOREIGN_NAME).unwrap();
                }
            }
        }
        scan.finish()
    }

    fn entry(&self) -> Entry {
        self.batch().next().expect("there is a message")
    }

    fn claim(&self) -> Claim {
        match Claim::attempt(&self.spool, &self.entry()).unwrap() {
            Attempt::Claimed(claim) => claim,
            other => panic!("not claimed: {other:?}"),
        }
    }

    fn count(&self, part: &str) -> usize {
        std::fs::read_dir(self.directory.path().join("spool").join(part)).unwrap().count()
    }
}

fn text(spool: &Spool, claim: &Claim) -> String {
    let mut bytes = [0; 100];
    let count = stream::read_at(claim.input(spool).unwrap(), &mut bytes, 0).unwrap();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

#[test]
fn messages_are_claimed_by_priority_and_then_by_age() {
    let scene = scene();
    for (priority, text) in [(0, "a"), (5, "b"), (0, "c"), (5, "d")] {
        scene.put(&Label { priority, ..Label::default() }, text);
    }
    let mut seen = String::new();
    for _ in 0..4 {
        let claim = scene.claim();
        seen += &text(&scene.spool, &claim);
        claim.acknowledge(&scene.spool, DAY).unwrap();
    }
    assert_eq!((seen.as_str(), scene.count("ready"), scene.count("tmp")), ("bdac", 0, 0));
}

#[test]
fn a_claimed_message_is_busy_until_the_claim_ends() {
    let scene = scene();
    scene.put(&Label::default(), "a");
    let claim = scene.claim();
    let entry = scene.entry();
    assert!(matches!(Claim::attempt(&scene.spool, &entry).unwrap(), Attempt::Busy));
    let inherited = claim.lock().try_clone_to_owned().unwrap();
    drop(claim);
    assert!(matches!(Claim::attempt(&scene.spool, &entry).unwrap(), Attempt::Busy));
    drop(inherited);
    let claim = scene.claim();
    let _inherited = claim.lock().try_clone_to_owned().unwrap();
    claim.release().unwrap();
    scene.claim();
}

#[test]
fn attempts_are_counted_in_the_name_of_the_file() {
    let scene = scene();
    scene.put(&Label::default(), "a");
    let old = scene.entry();
    let mut claim = scene.claim();
    assert_eq!(claim.begin(&scene.spool), Ok(1));
    assert_eq!(claim.begin(&scene.spool), Ok(2));
    assert!(matches!(Claim::attempt(&scene.spool, &old).unwrap(), Attempt::Gone));
    drop(claim);
    assert_eq!(scene.entry().attempts, 2);
}

#[test]
fn a_failed_message_keeps_its_name_and_has_a_report() {
    let scene = scene();
    scene.put_named("a", "x");
    let mut claim = scene.claim();
    claim.begin(&scene.spool).unwrap();
    let entry = claim.entry.clone();
    let report = Report { status: 3, reason: "failed".into(), stderr: b"a\n\nb\n".to_vec() };
    claim.fail(&scene.spool, &report, DAY).unwrap();
    assert_eq!((scene.count("ready"), scene.count("failed")), (0, 1));
    assert_eq!(failure::read(&scene.spool, &entry), Some(report));
    assert_eq!(history::statuses(&scene.spool, &["a", "b"]).unwrap(), [Some(3), None]);
    assert!(matches!(scene.put_named("a", "y"), Put::Exists(_)));
    claim::remove(&scene.spool, Part::Failed, &entry).unwrap();
    assert_eq!(scene.count("names"), 0);
    assert!(matches!(scene.put_named("a", "y"), Put::Done(_)));
}

#[test]
fn a_given_name_is_in_use_while_its_message_waits_or_is_claimed() {
    let scene = scene();
    assert!(matches!(scene.put_named("a/b", "1"), Put::Done(_)));
    assert!(matches!(scene.put_named("a/b", "2"), Put::Exists(_)));
    let claim = scene.claim();
    assert!(matches!(scene.put_named("a/b", "3"), Put::Exists(_)));
    claim.acknowledge(&scene.spool, DAY).unwrap();
    assert!(matches!(scene.put_named("a/b", "4"), Put::Done(_)));
    assert_eq!((scene.count("ready"), scene.count("tmp"), scene.count("names")), (1, 0, 1));
}

#[test]
fn a_name_whose_put_was_killed_is_free() {
    let scene = scene();
    let path = |part: &str, name: &str| scene.directory.path().join("spool").join(part).join(name);
    // Killed between the link and the rename, and between the removals of an acknowledged message.
    std::fs::write(path("tmp", "left"), "x").unwrap();
    std::fs::hard_link(path("tmp", "left"), path("names", "a")).unwrap();
    std::fs::write(path("names", "b"), "x").unwrap();
    for name in ["a", "b"] {
        assert!(matches!(scene.put_named(name, "1"), Put::Done(_)), "{name}");
        assert!(matches!(scene.put_named(name, "2"), Put::Exists(_)), "{name}");
    }
    assert_eq!(scene.count("tmp"), 0);
}

#[test]
fn what_cannot_be_a_message_goes_to_the_quarantine() {
    let scene = scene();
    let root = scene.directory.path().join("spool");
    scene.put(&Label::default(), "x");
    let file = scene.entry().file();
    let attempt = |scene: &Scene| match Claim::attempt(&scene.spool, &scene.entry()).unwrap() {
        Attempt::Impossible(reason) => {
            scene.spool.quarantine(Part::Ready, file.as_ref(), reason).unwrap();
            reason
        }
        other => panic!("{other:?}"),
    };
    std::fs::hard_link(root.join("ready").join(&file), root.join("extra")).unwrap();
    assert_eq!(attempt(&scene), "has-another-link");
    symlink("/etc/passwd", root.join("ready").join(&file)).unwrap();
    assert_eq!(attempt(&scene), "not-a-regular-file");
    for _ in 0..2 {
        std::fs::File::create(root.join("ready/strange")).unwrap().write_all(b"kept").unwrap();
        assert_eq!(scene.batch().next(), None);
    }
    let kept = |path: &str| std::fs::read_to_string(root.join("quarantine").join(path)).unwrap();
    assert_eq!(kept("foreign-name/strange") + &kept("foreign-name/strange.1"), "keptkept");
}

#[test]
fn old_records_are_removed() {
    let scene = scene();
    DAY.add(&scene.spool, "a", 0).unwrap();
    let old = scene.directory.path().join("spool/done/0000000001-0");
    std::fs::write(&old, "3600 0 b\n").unwrap();
    assert_eq!(history::statuses(&scene.spool, &["a", "b"]).unwrap(), [Some(0), Some(0)]);
    DAY.prune(&scene.spool).unwrap();
    assert_eq!(history::statuses(&scene.spool, &["a", "b"]).unwrap(), [Some(0), None]);
    Keep(Duration::ZERO).add(&scene.spool, "c", 0).unwrap();
    assert_eq!(history::statuses(&scene.spool, &["c"]).unwrap(), [None]);
}

#[test]
fn a_spool_is_made_once_and_finished_if_its_creator_was_killed() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let create = |path: &Path| Spool::create(path, 0o750).map(drop);
    let exists = Err(Error::Kernel(Errno(libc::EEXIST)));
    assert_eq!(create(&path("a")), Ok(()));
    assert_eq!(create(&path("a")), exists);
    std::fs::create_dir_all(path("b/ready")).unwrap();
    assert_eq!(Spool::open(&path("b")).map(drop), Err(Error::NotASpool));
    assert_eq!(create(&path("b")), Ok(()));
    std::fs::create_dir_all(path("c/other")).unwrap();
    assert_eq!(create(&path("c")), exists);
    std::fs::write(path("d"), "").unwrap();
    assert_eq!(create(&path("d")), exists);
    assert_eq!(Spool::open(&path("d")).map(drop), Err(Error::NotASpool));
    let spool = Spool::open(&path("a")).unwrap();
    assert_eq!(spool.mode_of_files(), 0o640);
    let draft = Draft::new(&spool, &Label::default()).unwrap();
    draft.publish().unwrap();
    assert_eq!(spool.remove(Removal::IfEmpty), Err(Errno(libc::ENOTEMPTY)));
    let spool = Spool::open(&path("a")).unwrap();
    spool.remove(Removal::WithMessages).unwrap();
    assert!(!path("a").exists());
}
