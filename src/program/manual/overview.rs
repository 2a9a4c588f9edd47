//! `ipc.1`: the nouns, and the conventions of all verbs.

use super::page::{Block, Page, Text, paragraphs};
use super::{reference, synopsis};
use crate::base::exit;
use crate::program::catalog::{COMMANDS, NOUNS};
use crate::program::tree;

/// The page of the program.
pub fn page() -> Page {
    let about_ipc = "interprocess communication for shell scripts: shared memory, semaphores, message queues, \
                     sockets, pipes, locks and signals";
    let mut page = Page::new("ipc", 1, about_ipc);
    synopsis(&mut page, "ipc", tree().disable_help_subcommand(true).bin_name("ipc"));
    page.section("DESCRIPTION");
    page.paragraphs("Every way that Unix processes talk and coordinate, for shell scripts.");
    page.paragraphs(
        "A noun is a mechanism by which processes on a Unix machine communicate, and a verb is an operation on \
         it:",
    );
    page.lines("ipc NOUN VERB [OPTION]... NAME [OPERAND]... [-- COMMAND [ARG]...]");
    page.marked(
        "The objects are those of the system: programs in C and other languages open the objects that ‹ipc› \
         creates, and ‹ipc› opens theirs.",
    );
    page.marked(
        "A link with the name of a noun, such as ‹sem›, implies the noun; ‹ipc-applets›(1) makes such links.",
    );
    page.section("NOUNS");
    let term = |name: &str, about: &str| {
        Block::Term(Text::marked(&format!("‹ipc-{name}›(1)")), paragraphs(about))
    };
    for noun in NOUNS {
        page.push(term(noun.name, &format!("{}: {}", noun.about, noun.manual.topic)));
    }
    page.section("COMMANDS");
    for command in COMMANDS {
        page.push(term(command.name, command.about));
    }
    page.section("OPTIONS");
    page.paragraphs("These options mean the same for every verb that has them.");
    page.marked_terms(OPTIONS);
    page.section("VALUES");
    page.marked_terms(VALUES);
    page.section("MESSAGES");
    page.marked(MESSAGES);
    page.section("JSON");
    page.marked(JSON);
    page.section("SIGNALS");
    page.marked(SIGNALS);
    page.section("EXIT STATUS");
    page.terms(exit::MEANINGS);
    page.paragraphs("Verbs that run a COMMAND end with its status, or with:");
    page.terms(exit::COMMAND_MEANINGS);
    page.section("ENVIRONMENT");
    page.marked_terms(ENVIRONMENT);
    page.section("FILES");
    page.marked_terms(FILES);
    page.section("STANDARDS");
    page.marked(STANDARDS);
    page.section("NOTES");
    page.marked(NOTES);
    let nouns = NOUNS.iter().map(|noun| reference(&format!("ipc-{}", noun.name)));
    page.see_also(nouns.chain(["ipc(7)".to_owned()]));
    page
}

const OPTIONS: &[(&str, &str)] = &[
    ("‹-t›, ‹--timeout› «DURATION»", "Time out after this long, with status 124; 0 tries once."),
    ("‹-n›, ‹--nonblock›", "Do not wait: end with status 1 instead."),
    ("‹-m›, ‹--mode› «MODE»", "Permissions of what is created."),
    ("‹-e›, ‹--exist-ok›", "Succeed if the object exists already, with the same properties."),
    ("‹-j›, ‹--json›", "Print JSON."),
    ("‹-0›, ‹--null›", "Messages end with NUL, in input and output."),
    ("‹-f›, ‹--follow›", "Continue until a signal arrives."),
    ("‹-q›, ‹--quiet›", "Print no diagnostics."),
    ("‹-v›, ‹--verbose›", "Report progress on stderr."),
    ("‹--color› «WHEN»", "Use colour: auto, always or never."),
    ("‹-h›, ‹--help›", "Print help; ‹--help› has all options and examples."),
];

const VALUES: &[(&str, &str)] = &[
    (
        "«DURATION»",
        "As in \"500ms\", \"1m 30s\" or \"1.5s\"; a bare number is seconds; \"inf\" never ends. Months and years \
         are refused.",
    ),
    ("«SIZE»", "Bytes: 4096, 0x1000, 64K and 64KiB (65536), 64KB (64000), up to E."),
    ("«SIGNAL»", "USR1, SIGUSR1, usr1, 10, RTMIN+3, RTMAX-1. RTMIN is 34, as in glibc."),
    (
        "«MODE»",
        "Octal, or symbolic as for ‹chmod›(1). The default for new objects is 0600; the umask is ignored.",
    ),
    (
        "«NAME»",
        "A POSIX object is named by a slash and a name, such as /jobs; the slash is optional.\n\nA System V \
         object, for ‹mq›, ‹sem› and ‹shm›, is sysv:KEY with a decimal or hexadecimal key, sysv:PATH:PROJ with the \
         key that ‹ftok›(3) makes of an existing path and a character or number, or sysv:id=N with an identifier \
         as ‹ipcs›(1) shows it. sysv:0 is a new object each time.",
    ),
    (
        "«ADDRESS»",
        "The address of a socket: a path with a slash in it or unix:PATH, @NAME for an abstract name, \
         tcp:HOST:PORT and udp:HOST:PORT with an IPv6 address in brackets, vsock:CID:PORT, or fd:N for a descriptor \
         that is open.",
    ),
];

const MESSAGES: &str = "\
One line is one message, for mechanisms that preserve the boundaries of messages. With ‹--null› messages end with \
NUL instead. ‹--frame› chooses another form: \"whole\" (all of the input is one message), \"len4\" (a length of 4 \
bytes, little endian, and the message) or \"netstring\".";

const JSON: &str = "\
With ‹--json› the keys are those of the section JSON of each page, and they never change their meaning. Sizes are \
in bytes, times as in RFC 3339, permissions in octal. Text that is not UTF-8 is an object: {\"base64\": \"...\"}.";

const SIGNALS: &str = "\
If the reader of standard output disconnects, the command ends by SIGPIPE, without a message; a peer that \
disconnects is an error. A COMMAND starts with default dispositions and an empty mask; HUP stays ignored under \
‹nohup›(1). INT, TERM, HUP, QUIT, USR1 and USR2 are passed on to it.";

const ENVIRONMENT: &[(&str, &str)] = &[
    ("‹NO_COLOR›", "If it is not empty, there is no colour, unless ‹--color› asks for it."),
    ("‹TERM›", "On a terminal of the type \"dumb\" there is no colour and no progress."),
    ("‹PATH›", "The directories in which a COMMAND is searched."),
    (
        "‹LISTEN_FDS›, ‹LISTEN_PID›, ‹NOTIFY_SOCKET›",
        "Sockets of a service manager, and the socket at which it hears that a service is ready: \
         ‹sd_listen_fds›(3), ‹sd_notify›(3).",
    ),
];

const FILES: &[(&str, &str)] = &[
    ("«/dev/shm»", "The file system of POSIX shared memory and semaphores, and of queues."),
    ("«/dev/mqueue»", "POSIX message queues, where it is mounted. ‹ipc› does not need it."),
    ("«/proc»", "Holders of objects, tables of System V objects and locks, and limits."),
];

const STANDARDS: &str = "\
The objects are those of POSIX.1-2024, its XSI option, and Linux; the page of each noun says which. The command \
itself is in no standard. As ‹mkfifo› it is the utility of POSIX, as ‹flock› that of util-linux.";

const NOTES: &str = "\
The program does not run set-user-ID, set-group-ID or with file capabilities.";
