//! Writes manual pages from the definitions of the commands, with the sections of man-pages(7). It is part
//! of the tests because the program itself does not use it.

use std::fmt::Write as _;

use clap::Command;
use clap_mangen::Man;
use ipc_suite::base::exit;
use ipc_suite::program::{self, Json, Key, Noun, Shape, Statuses, Type, Verb};

/// All verbs, and the nouns that they belong to.
pub fn verbs() -> impl Iterator<Item = (Option<&'static Noun>, &'static Verb)> {
    let of_nouns = program::NOUNS
        .iter()
        .flat_map(|noun| noun.verbs.iter().map(move |verb| (Some(noun), verb)));
    of_nouns.chain(program::COMMANDS.iter().map(|verb| (None, verb)))
}

/// Every page, by its file name.
pub fn pages() -> Vec<(String, Vec<u8>)> {
    let mut pages =
        vec![("ipc.1".to_owned(), overview()), ("ipc.7".to_owned(), guide().into_bytes())];
    pages.extend(program::NOUNS.iter().map(|noun| (format!("ipc-{}.1", noun.name), of_noun(noun))));
    pages.extend(
        verbs().map(|(noun, verb)| (format!("{}.1", page_name(noun, verb)), of_verb(noun, verb))),
    );
    pages
}

fn page_name(noun: Option<&Noun>, verb: &Verb) -> String {
    noun.map_or(format!("ipc-{}", verb.name), |noun| format!("ipc-{}-{}", noun.name, verb.name))
}

/// `ipc.1`: the nouns, and the conventions of all verbs.
fn overview() -> Vec<u8> {
    let tree = program::tree().disable_help_subcommand(true);
    let mut page = Page::new("ipc", "ipc", tree);
    page.text(OVERVIEW);
    let nouns =
        program::NOUNS.iter().map(|noun| (format!("ipc-{}(1)", noun.name), noun.about.to_owned()));
    page.list("NOUNS", nouns);
    let commands =
        program::COMMANDS.iter().map(|verb| (format!("ipc-{}(1)", verb.name), about(verb)));
    page.list("COMMANDS", commands);
    page.text(CONVENTIONS);
    page.list("EXIT STATUS", statuses(&exit::MEANINGS));
    page.text(".PP\nVerbs that run a COMMAND end with its status, or with:\n");
    page.items(statuses(&exit::COMMAND_MEANINGS));
    page.see_also(program::NOUNS.iter().map(|noun| format!("ipc-{}(1)", noun.name)));
    page.finish()
}

/// `ipc.7`: the text of `ipc guide`.
fn guide() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let guide = program::Guide::whole();
    let mut page = format!(".TH IPC 7 \"\" \"ipc {version}\" \"ipc\"\n{GUIDE}");
    page += &example(&guide.tables);
    page += ".SH NEEDS\n.BR ipc\\-guide (1)\nproposes mechanisms for these words.\n";
    for (word, meaning) in guide.needs {
        let _ = write!(page, ".TP\n\\fB{}\\fR\n{}\n", escape(word), escape(meaning));
    }
    page += ".SH MECHANISMS\n";
    for (name, text) in guide.mechanisms {
        let _ = write!(page, ".SS {}\n{}", escape(name), example(&text));
    }
    let nouns = program::NOUNS.iter().map(|noun| bold_name(&format!("ipc-{}(1)", noun.name)));
    let others = ["ipc(1)", "ipc-guide(1)"].map(bold_name);
    let pages: Vec<String> = others.into_iter().chain(nouns).collect();
    page + &format!(".SH \"SEE ALSO\"\n{}\n", pages.join(",\n"))
}

/// Lines that the formatter keeps.
fn example(text: &str) -> String {
    format!(".PP\n.EX\n{}\n.EE\n", escape(text.trim_end()))
}

/// `ipc-NOUN.1`: the verbs of a noun.
fn of_noun(noun: &Noun) -> Vec<u8> {
    let name = format!("ipc-{}", noun.name);
    let command = Command::new(noun.name).about(noun.about).subcommand_required(true);
    let command = command.disable_help_flag(true).subcommand_value_name("VERB ...");
    let command = command.subcommands(noun.verbs.iter().map(Verb::command));
    let mut page = Page::new(&name, &format!("ipc {}", noun.name), command);
    page.list(
        "VERBS",
        noun.verbs.iter().map(|verb| (format!("{name}-{}(1)", verb.name), about(verb))),
    );
    page.examples(noun.verbs.iter().filter_map(|verb| verb.examples.first()));
    let verbs = noun.verbs.iter().map(|verb| format!("{name}-{}(1)", verb.name));
    let others = noun.see_also.iter().map(|&page| page.to_owned());
    page.see_also(["ipc(1)".to_owned()].into_iter().chain(verbs).chain(others));
    page.finish()
}

/// `ipc-NOUN-VERB.1`: one verb, with its options.
fn of_verb(noun: Option<&Noun>, verb: &Verb) -> Vec<u8> {
    let words = noun
        .map_or(format!("ipc {}", verb.name), |noun| format!("ipc {} {}", noun.name, verb.name));
    let mut page = Page::new(&page_name(noun, verb), &words, verb.command());
    page.options();
    page.json(verb.json);
    page.list("EXIT STATUS", statuses(&exit::MEANINGS));
    let command = match verb.statuses {
        Statuses::Own => None,
        Statuses::OfCommand => Some("Otherwise the status is the status of COMMAND:"),
        Statuses::OfCommandIfAny => Some("With a COMMAND, the status is 1, 2, 124 or:"),
        Statuses::OfProcedure => {
            page.text(".PP\nOtherwise the status is that of the procedure, 128+N if it died of signal N.\n");
            None
        }
    };
    if let Some(words) = command {
        page.text(&format!(".PP\n{words}\n"));
        page.items(statuses(&exit::COMMAND_MEANINGS));
    }
    page.examples(verb.examples.iter());
    let noun_pages = noun.into_iter().flat_map(|noun| {
        let page = format!("ipc-{}(1)", noun.name);
        [page].into_iter().chain(noun.see_also.iter().map(|&page| page.to_owned()))
    });
    page.see_also(["ipc(1)".to_owned()].into_iter().chain(noun_pages));
    page.finish()
}

/// The type of a key in the words of the page.
pub fn json_type(key: &Key, shape: Shape) -> String {
    let is_optional = key.is_optional || (key.only.is_some() && shape == Shape::Array);
    format!("{}{}", key.kind.in_json(), if is_optional { ", or null" } else { "" })
}

/// The page of a verb.
pub fn page(noun: Option<&Noun>, verb: &Verb) -> String {
    String::from_utf8(of_verb(noun, verb)).expect("pages are UTF-8")
}

fn about(verb: &Verb) -> String {
    verb.command().get_about().map(ToString::to_string).unwrap_or_default()
}

fn statuses(meanings: &[(&str, &str)]) -> Vec<(String, String)> {
    meanings.iter().map(|&(code, meaning)| (code.to_owned(), meaning.to_owned())).collect()
}

/// A page, written from top to bottom.
struct Page {
    man: Man,
    roff: Vec<u8>,
}

impl Page {
    /// Begins a page with its title, name and synopsis.
    fn new(name: &str, words: &str, command: Command) -> Self {
        let command = command.bin_name(words).display_name(name);
        let source = format!("ipc {}", env!("CARGO_PKG_VERSION"));
        let synopsis = synopsis(words, command.clone());
        let man = Man::new(command).title(name.to_uppercase()).source(source).manual("ipc");
        let mut page = Self { man, roff: Vec::new() };
        page.part(Man::render_title);
        page.part(Man::render_name_section);
        page.text(&synopsis);
        page.part(Man::render_description_section);
        page
    }

    /// A section that clap_mangen writes.
    fn part(&mut self, render: impl Fn(&Man, &mut dyn std::io::Write) -> std::io::Result<()>) {
        render(&self.man, &mut self.roff).expect("memory takes it");
    }

    fn options(&mut self) {
        self.part(Man::render_options_section);
    }

    /// Text in roff.
    fn text(&mut self, text: &str) {
        self.roff.extend_from_slice(text.as_bytes());
    }

    /// A section of terms with their explanations.
    fn list(&mut self, title: &str, items: impl IntoIterator<Item = (String, String)>) {
        self.text(&format!(".SH \"{title}\"\n"));
        self.items(items);
    }

    fn items(&mut self, items: impl IntoIterator<Item = (String, String)>) {
        for (term, text) in items {
            self.text(&format!(".TP\n\\fB{}\\fR\n{}\n", escape(&term), escape(&text)));
        }
    }

    /// The section on the output with `--json`.
    fn json(&mut self, parts: &[Json]) {
        if parts.is_empty() {
            return;
        }
        self.text(".SH JSON\n");
        for part in parts {
            let shape = match part.shape {
                Shape::Object => "One object with these keys",
                Shape::Array => "An array of objects with these keys",
                Shape::Lines => "A line for each message or event: an object with these keys",
                Shape::Numbers => "An array of numbers.",
            };
            let of = part.of.map_or(String::new(), |objects| format!(", for {objects}"));
            let keys = (part.keys)();
            let end = if keys.is_empty() { "" } else { ":" };
            self.text(&format!(".PP\n{shape}{}{end}\n", escape(&of)));
            self.keys(keys, part.shape);
        }
    }

    fn keys(&mut self, keys: Vec<&Key>, shape: Shape) {
        for key in keys {
            let absence = match (key.only, shape) {
                (None, _) => String::new(),
                (Some(only), Shape::Array) => format!(" It is null except for {only}."),
                (Some(only), _) => format!(" Only for {only}."),
            };
            let text = format!("{}.{absence}", key.meaning);
            let (name, kind) = (escape(key.name), escape(&json_type(key, shape)));
            self.text(&format!(".TP\n\\fB{name}\\fR (\\fI{kind}\\fR)\n{}\n", escape(&text)));
            if let Type::Objects(inner) = key.kind {
                self.text(".RS\n");
                self.keys(inner.iter().collect(), Shape::Object);
                self.text(".RE\n");
            }
        }
    }

    fn examples<'a>(&mut self, examples: impl Iterator<Item = &'a program::Example>) {
        let mut text = String::from(".SH EXAMPLES\n");
        for (what, line) in examples {
            let _ = write!(
                text,
                ".PP\n{}:\n.PP\n.RS 4\n.EX\n{}\n.EE\n.RE\n",
                escape(what),
                escape(line)
            );
        }
        self.text(&text);
    }

    fn see_also(&mut self, pages: impl Iterator<Item = String>) {
        let pages: Vec<String> = pages.map(|page| bold_name(&page)).collect();
        self.text(&format!(".SH \"SEE ALSO\"\n{}\n", pages.join(",\n")));
    }

    fn finish(self) -> Vec<u8> {
        self.roff
    }
}

/// The synopsis, from the usage line of the help.
fn synopsis(words: &str, mut command: Command) -> String {
    let usage = command.render_usage().to_string();
    let rest = usage.trim_start_matches("Usage: ").trim_start_matches(words).trim();
    let rest = rest.replace("[OPTIONS]", "[<OPTION>]...");
    let rest = rest.replace("<COMMAND>...", "<COMMAND> [<ARG>]...");
    let mut text = format!(".SH SYNOPSIS\n\\fB{}\\fR ", escape(words));
    // Values are in italics. Braces enclose options of which one is chosen.
    let mut open = Vec::new();
    for (at, c) in rest.char_indices() {
        match c {
            '<' if rest[at..].starts_with("<-") => open.push("}"),
            '<' => open.push("\\fR"),
            _ => {}
        }
        match (c, open.last()) {
            ('<', Some(&"}")) => text.push('{'),
            ('<', _) => text.push_str("\\fI"),
            ('>', _) => text.push_str(open.pop().unwrap_or_default()),
            ('-', _) => text.push_str("\\-"),
            (c, _) => text.push(c),
        }
    }
    text + "\n"
}

/// `name(1)` with the name in bold.
fn bold_name(page: &str) -> String {
    let (name, section) = page.split_once('(').expect("a page has a section");
    format!("\\fB{}\\fR({section}", escape(name))
}

/// Escapes the characters that have a meaning in roff.
fn escape(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let line = line.replace('\\', "\\e").replace('-', "\\-").replace('`', "\\(ga");
        let line = line.replace('^', "\\(ha").replace('~', "\\(ti").replace('"', "\\(dq");
        let line = line.replace('\'', "\\(aq");
        if line.starts_with('.') { format!("\\&{line}") } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

const GUIDE: &str = r#".SH NAME
ipc \- the mechanisms of interprocess communication, and how to choose among them
.SH DESCRIPTION
Processes on a Unix machine communicate and coordinate in many ways, which differ in what they carry,
in how long it lasts, and in what remains when a process is killed.
This page is the text of
.BR ipc\-guide (1).
"#;

const OVERVIEW: &str = r"
.PP
A noun is a mechanism by which processes on a Unix machine communicate, and a verb is an operation on it:
.PP
.RS 4
.EX
ipc NOUN VERB [OPTION]... NAME [OPERAND]... [\-\- COMMAND [ARG]...]
.EE
.RE
.PP
The objects are those of the system: programs in C and other languages open the objects that
.B ipc
creates, and
.B ipc
opens theirs.
.PP
A link with the name of a noun, such as
.BR sem ,
implies the noun;
.BR ipc\-applets (1)
makes such links.
";

const CONVENTIONS: &str = r#".SH VALUES
.TP
\fIDURATION\fR
As in \(dq500ms\(dq, \(dq1m 30s\(dq or \(dq1.5s\(dq; a bare number is seconds; \(dqinf\(dq never ends.
Months and years are refused.
.TP
\fISIZE\fR
Bytes: 4096, 0x1000, 64K and 64KiB (65536), 64KB (64000), up to E.
.TP
\fISIGNAL\fR
USR1, SIGUSR1, usr1, 10, RTMIN+3, RTMAX\-1.
RTMIN is 34, as in glibc.
.TP
\fIMODE\fR
Octal, or symbolic as for
.BR chmod (1).
The default for new objects is 0600; the umask is ignored.
.TP
\fINAME\fR
A POSIX object is named by a slash and a name, such as /jobs; the slash is optional.
.IP
A System V object, for \fBmq\fR, \fBsem\fR and \fBshm\fR, is sysv:KEY with a decimal or hexadecimal key, sysv:PATH:PROJ with the key that
.BR ftok (3)
makes of an existing path and a character or number, or sysv:id=N with an identifier as
.BR ipcs (1)
shows it.
sysv:0 is a new object each time.
.TP
\fIADDRESS\fR
The address of a socket: a path with a slash in it or unix:PATH, @NAME for an abstract name, tcp:HOST:PORT and udp:HOST:PORT with an IPv6 address in brackets, vsock:CID:PORT, or fd:N for a descriptor that is open.
.SH MESSAGES
One line is one message, for mechanisms that preserve the boundaries of messages.
With \fB\-\-null\fR messages end with NUL instead.
\fB\-\-frame\fR chooses another form: \(dqwhole\(dq (all of the input is one message), \(dqlen4\(dq (a length of 4 bytes, little endian, and the message) or \(dqnetstring\(dq.
.SH JSON
With \fB\-\-json\fR the keys are those of the section JSON of each page, and they never change their meaning.
Sizes are in bytes, times as in RFC 3339, permissions in octal.
Text that is not UTF-8 is an object: {\(dqbase64\(dq: \(dq...\(dq}.
.SH SIGNALS
If the reader of standard output disconnects, the command ends by SIGPIPE, without a message; a peer that disconnects is an error.
A COMMAND starts with default dispositions and an empty mask; HUP stays ignored under
.BR nohup (1).
INT, TERM, HUP, QUIT, USR1 and USR2 are passed on to it.
"#;
