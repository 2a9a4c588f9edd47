# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ipc_global_optspecs
    string join \n h/help V/version
end

function __fish_ipc_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ipc_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ipc_using_subcommand
    set -l cmd (__fish_ipc_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ipc -n "__fish_ipc_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_needs_command" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "fifo" -d 'Pass bytes through named pipes'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "lock" -d 'Let one work at a time, with locks on files'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "map" -d 'Share files between processes as memory'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "mq" -d 'Send and receive messages through queues of the kernel'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "sem" -d 'Count and limit work with named semaphores'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "shm" -d 'Share memory between processes, POSIX or System V'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "signal" -d 'Send signals to processes, wait for them, and handle them'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "sock" -d 'Serve and connect to sockets'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "applets" -d 'List the names by which links to this program are called, or make or remove the links'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "mkfifo" -d 'Create FIFOs'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat stat ls rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat stat ls rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat stat ls rm" -f -a "create" -d 'Create FIFOs'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat stat ls rm" -f -a "write" -d 'Write stdin or messages into a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat stat ls rm" -f -a "cat" -d 'Print what comes through a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat stat ls rm" -f -a "stat" -d 'Show all that is known of a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat stat ls rm" -f -a "ls" -d 'List the FIFOs of a directory'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat stat ls rm" -f -a "rm" -d 'Remove FIFOs'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic, whatever the umask; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -l trust -d 'Use an object that this user, a member of this group, or any user has made' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -l frame -d 'How records are told apart' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s m -l mode -d 'Permissions for a FIFO that is created; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -l trust -d 'Use an object that this user, a member of this group, or any user has made' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -l records -d 'Write each record of stdin in one piece'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -l create -d 'Create the FIFO if there is none; it stays'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -l count -d 'End after this many bytes' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s k -l keep-open -d 'Go on with the next writer when the last one has left'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore what does not exist'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "run" -d 'Lock a file and run a command'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "fd" -d 'Lock a descriptor of the calling shell'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "unlock" -d 'Give back the lock of a descriptor'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "test" -d 'Tell whether a file is locked, and by whom'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "take" -d 'Take a lock file'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "drop" -d 'Drop a lock file'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "ls" -d 'List the file locks of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -l kind -d 'Kind of the lock' -r -f -a "flock\t'the whole file, as flock(2)'
ofd\t'a range, of the open file'
posix\t'a range, of the process'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -l range -d 'Lock LEN bytes from OFF on, as in 64:64; with a LEN of 0 or none (\'100:\') all from OFF on' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s E -l conflict-exit-code -d 'Status instead of 1 and 124 where it would block or is not in time' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s s -l shared -d 'Share the lock with others who share it'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s x -l exclusive -d 'Have the lock alone; this is the default'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s F -l no-fork -d 'Become COMMAND, which then holds the lock by an inherited descriptor'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s o -l close -d 'Keep the descriptor from COMMAND; this is the default'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -l inherit -d 'Let COMMAND and its children inherit the descriptor, and hold the lock by it'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -l remove -d 'Remove FILE afterwards, while we have the lock'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -l kind -d 'Kind of the lock' -r -f -a "flock\t'the whole file, as flock(2)'
ofd\t'a range, of the open file'
posix\t'a range, of the process'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -l range -d 'Lock LEN bytes from OFF on, as in 64:64; with a LEN of 0 or none (\'100:\') all from OFF on' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s E -l conflict-exit-code -d 'Status instead of 1 and 124 where it would block or is not in time' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s s -l shared -d 'Share the lock with others who share it'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s x -l exclusive -d 'Have the lock alone; this is the default'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -l kind -d 'Kind of the lock' -r -f -a "flock\t'the whole file, as flock(2)'
ofd\t'a range, of the open file'
posix\t'a range, of the process'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -l range -d 'Lock LEN bytes from OFF on, as in 64:64; with a LEN of 0 or none (\'100:\') all from OFF on' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -s s -l shared -d 'Share the lock with others who share it'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -s x -l exclusive -d 'Have the lock alone; this is the default'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -l range -d 'Look only at LEN bytes from OFF on' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -l pidfile -d 'The file has the number of the process alone, as programs that read pidfiles expect'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -l owner -d 'Process that owns the lock file, rather than the one that called us' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -l pidfile -d 'The file has the number of the process alone, as programs that read pidfiles expect'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -l owner -d 'Process that owns the lock file, rather than the one that called us' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -l pidfile -d 'The file has the number of the process alone, as programs that read pidfiles expect'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -s f -l force -d 'Drop it whoever has it'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "create" -d 'Create a segment'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "write" -d 'Write stdin into a segment'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "cat" -d 'Print what is in segments'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "read" -d 'Print what is in segments'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "peek" -d 'Print numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "poke" -d 'Set numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "add" -d 'Add to a number in a segment, and print the sum'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "cas" -d 'Set a number in a segment if it is as expected'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "wait" -d 'Wait until a number in a segment is as wanted, and print it'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "sync" -d 'Have changes to a file written to the disk'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "resize" -d 'Give a segment another size'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "stat" -d 'Show all that is known of a segment'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "ls" -d 'List the segments of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize stat ls rm" -f -a "rm" -d 'Remove segments'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s s -l size -d 'How many bytes it has' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic, whatever the umask; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -l trust -d 'Use an object that this user, a member of this group, or any user has made' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -l huge -d 'Use huge pages, or fail'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l offset -d 'Where to begin' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s m -l mode -d 'Permissions for a segment that is created; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l trust -d 'Use an object that this user, a member of this group, or any user has made' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l grow -d 'Let the segment grow where the input does not fit'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l truncate -d 'Let the segment end where the input ends'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l sync -d 'Have it on disk before the command ends'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -l offset -d 'Where to begin' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -l count -d 'How many bytes to print; all if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -l string -d 'Stop at the first NUL'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -l offset -d 'Where to begin' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -l count -d 'How many bytes to print; all if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -l string -d 'Stop at the first NUL'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l type -d 'Type of the numbers' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l offset -d 'Where the first is' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l count -d 'How many' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l sep -d 'What to print between them, instead of a newline' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l endian -d 'Order of their bytes: native, little or big' -r -f -a "native\t'That of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -l type -d 'Type of the number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -l offset -d 'Where it is' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -l endian -d 'Order of its bytes: native, little or big' -r -f -a "native\t'That of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -l type -d 'Type of the number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -l offset -d 'Where it is' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -l endian -d 'Order of its bytes: native, little or big' -r -f -a "native\t'That of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -l type -d 'Type of the number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -l offset -d 'Where it is' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -l endian -d 'Order of its bytes: native, little or big' -r -f -a "native\t'That of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l type -d 'Type of the number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l offset -d 'Where it is' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l endian -d 'Order of its bytes: native, little or big' -r -f -a "native\t'That of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l eq -d 'Until it is this' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l ne -d 'Until it is not this' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l ge -d 'Until it is this or more' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l poll -d 'Look again after this long without being woken; \'inf\' is never' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l change -d 'Until it is not what it was at first'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -l async -d 'Only ask for it, and do not wait'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -l invalidate -d 'Have other mappings of the file see what is in the file'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from resize" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from resize" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from resize" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from resize" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore what does not exist'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "create" -d 'Create a message queue'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "send" -d 'Send messages to a queue'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "recv" -d 'Take messages from a queue and print them'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "wait" -d 'Wait until a message is in a queue, and take none'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "set" -d 'Change the limit of a System V queue'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "stat" -d 'Show all that is known of a message queue'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "ls" -d 'List the message queues of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "rm" -d 'Remove message queues, and the messages in them'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -l max-msgs -d 'Messages that it holds, before who sends has to wait' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -l msg-size -d 'Bytes that a message may have' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -l max-bytes -d 'Bytes that all messages of a System V queue may have' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic, whatever the umask; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -l trust -d 'Use an object that this user, a member of this group, or any user has made' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s p -l priority -d 'Priority of the messages, 0 to 32767; of a System V queue their type, 1 and up' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -l trust -d 'Use an object that this user, a member of this group, or any user has made' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -l frame -d 'How records are told apart' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -l create -d 'Create the queue if there is none'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l count -d 'How many messages' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l peek -d 'Print a copy of the message at this place of a System V queue, the oldest being 0' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l type -d 'The first message of this System V type; -N is the lowest type up to N' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l except -d 'The first message of any other System V type' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l frame -d 'How records are told apart' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l jobs -d 'Run so many COMMANDs at a time, instead of one' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s E -l conflict-exit-code -d 'Status instead of 1 and 124 where it would block or is not in time' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l all -d 'All messages that are there; none is success as well'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s f -l follow -d 'Go on until a signal'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l show-priority -d 'Print the priority, or the type, and a tab in front of each message'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s j -l json -d 'Print each message as a line of JSON, with its priority or its type'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l exec -d 'Run COMMAND for each message, which it has on its standard input'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l requeue -d 'Send a message back to the queue if its COMMAND fails, after 1 s'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -l type -d 'The first message of this System V type; -N is the lowest type up to N' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -l except -d 'The first message of any other System V type' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -l max-bytes -d 'Bytes that all its messages may have' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore what does not exist'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "create" -d 'Create a semaphore, or a System V set of them'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "post" -d 'Give back units, or add new ones'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "wait" -d 'Take units, waiting until they are there'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "run" -d 'Hold units while a command runs'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "barrier" -d 'Wait until all parties have come'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "value" -d 'Print the number of units'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "set" -d 'Set the number of units'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "stat" -d 'Show all that is known of a semaphore'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "ls" -d 'List the semaphores of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "rm" -d 'Remove semaphores'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -l value -d 'Units that it has at first' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -l nsems -d 'Semaphores in a System V set' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic, whatever the umask; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -l trust -d 'Use an object that this user, a member of this group, or any user has made' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -l reset -d 'Give one that exists already this value anew'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -l count -d 'How many' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -l index -d 'Which semaphore of a System V set, from 0 on' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -l undo -d 'Have the kernel revert it when this process ends (System V)'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -l count -d 'How many' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -l index -d 'Which semaphore of a System V set, from 0 on' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -l undo -d 'Have the kernel revert it when this process ends (System V)'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -l count -d 'How many units' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -l create -d 'Create the semaphore with this many units if there is none' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -l index -d 'Which semaphore of a System V set, from 0 on' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -l trust -d 'Use an object that this user, a member of this group, or any user has made' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s E -l conflict-exit-code -d 'Status instead of 1 and 124 where it would block or is not in time' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -l close -d 'Keep the descriptor from COMMAND'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -l parties -d 'How many have to come, the caller among them' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -l index -d 'Which semaphore of a System V set, from 0 on' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -l index -d 'Which semaphore of a System V set, from 0 on' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore what does not exist, and remove what is held'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "create" -d 'Create a segment'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "write" -d 'Write stdin into a segment'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "cat" -d 'Print what is in segments'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "read" -d 'Print what is in segments'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "peek" -d 'Print numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "poke" -d 'Set numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "add" -d 'Add to a number in a segment, and print the sum'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "cas" -d 'Set a number in a segment if it is as expected'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "wait" -d 'Wait until a number in a segment is as wanted, and print it'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "resize" -d 'Give a segment another size'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "stat" -d 'Show all that is known of a segment'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "ls" -d 'List the segments of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize stat ls rm" -f -a "rm" -d 'Remove segments'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s s -l size -d 'How many bytes it has' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic, whatever the umask; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -l trust -d 'Use an object that this user, a member of this group, or any user has made' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -l huge -d 'Use huge pages, or fail'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -l offset -d 'Where to begin' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s m -l mode -d 'Permissions for a segment that is created; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -l trust -d 'Use an object that this user, a member of this group, or any user has made' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -l grow -d 'Let the segment grow where the input does not fit'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -l truncate -d 'Let the segment end where the input ends'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -l offset -d 'Where to begin' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -l count -d 'How many bytes to print; all if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -l string -d 'Stop at the first NUL'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -l offset -d 'Where to begin' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -l count -d 'How many bytes to print; all if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -l string -d 'Stop at the first NUL'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l type -d 'Type of the numbers' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l offset -d 'Where the first is' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l count -d 'How many' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l sep -d 'What to print between them, instead of a newline' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l endian -d 'Order of their bytes: native, little or big' -r -f -a "native\t'That of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -l type -d 'Type of the number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -l offset -d 'Where it is' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -l endian -d 'Order of its bytes: native, little or big' -r -f -a "native\t'That of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -l type -d 'Type of the number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -l offset -d 'Where it is' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -l endian -d 'Order of its bytes: native, little or big' -r -f -a "native\t'That of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -l type -d 'Type of the number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -l offset -d 'Where it is' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -l endian -d 'Order of its bytes: native, little or big' -r -f -a "native\t'That of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -l guard -d 'Hold a unit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l type -d 'Type of the number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l offset -d 'Where it is' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l endian -d 'Order of its bytes: native, little or big' -r -f -a "native\t'That of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l eq -d 'Until it is this' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l ne -d 'Until it is not this' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l ge -d 'Until it is this or more' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l poll -d 'Look again after this long without being woken; \'inf\' is never' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l change -d 'Until it is not what it was at first'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from resize" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from resize" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from resize" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from resize" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore what does not exist'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run alarm info ls" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run alarm info ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run alarm info ls" -f -a "send" -d 'Send a signal to processes'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run alarm info ls" -f -a "wait" -d 'Wait for signals, and print each'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run alarm info ls" -f -a "trap" -d 'Run a line of shell whenever a signal comes'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run alarm info ls" -f -a "run" -d 'Run a command with signals ignored, blocked, or as they are by default'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run alarm info ls" -f -a "alarm" -d 'Run a command, and signal it if it takes too long'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run alarm info ls" -f -a "info" -d 'Show what a process does with signals'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run alarm info ls" -f -a "ls" -d 'List all signals, their numbers, and what they do by default'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l value -d 'Queue the signal with this value' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s t -l timeout -d 'Wait no longer than this' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l then -d 'After that, send this signal to those that are left, and wait on' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l pidfile -d 'Send it to the process that a pidfile, or a lock file of ours, names' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l name -d 'Send it to the process of this name; there has to be only one' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s g -l group -d 'Send it to the process groups of these numbers; 0 is our own'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s w -l wait -d 'Wait until all of them have ended'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l newest -d 'Of several of that name, the one that was started last'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l all -d 'All of that name'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l all-processes -d 'Send it to every process that we may signal, but for the first one and ourselves'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -l count -d 'How many to wait for' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -l ready -d 'Write a line to this descriptor or file when ready' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s f -l follow -d 'Go on until killed by another signal'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from trap" -l on -d 'Signal, or EXIT, and what sh(1) is to run when it comes; may be given several times' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from trap" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from trap" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from trap" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from trap" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -l ignore -d 'Signal to ignore; may be given several times' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -l default -d 'Signal that is to have its default effect; may be given several times' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -l block -d 'Signal to block; may be given several times' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -s s -l signal -d 'Signal to send then' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -s k -l kill-after -d 'Send KILL too, if COMMAND still runs this long after that' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -l foreground -d 'Stay in the group of the terminal, and signal COMMAND alone'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -l preserve-status -d 'Give COMMAND\'s status even when it took too long'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -l tree -d 'List the processes that it has started as well, and those that they have'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait stat ls" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait stat ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait stat ls" -f -a "serve" -d 'Listen at a socket and serve those who connect'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait stat ls" -f -a "connect" -d 'Connect stdin and stdout to a socket'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait stat ls" -f -a "send" -d 'Send messages to a socket'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait stat ls" -f -a "recv" -d 'Receive messages at a socket'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait stat ls" -f -a "relay" -d 'Pass connections at one address on to another'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait stat ls" -f -a "pair" -d 'Run two commands that talk with each other'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait stat ls" -f -a "wait" -d 'Wait until somebody listens'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait stat ls" -f -a "stat" -d 'Show all that is known of a socket'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait stat ls" -f -a "ls" -d 'List the sockets of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l type -d 'Whether bytes or messages go through it' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -s m -l mode -d 'Permissions of the path, octal or symbolic, whatever the umask; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l backlog -d 'How many clients may wait to be accepted' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l ready -d 'Write a line to this descriptor or file when ready' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l keepalive -d 'Ask a TCP peer that is silent for this long whether it is still there, 1s to 9h; or inf' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l allow-uid -d 'Admit processes of this user' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l allow-gid -d 'Admit processes of this group' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l max-clients -d 'Serve so many at a time; the others wait to be accepted' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l max-per-uid -d 'Serve so many of one user at a time; the user\'s others wait' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l grace -d 'At INT, TERM or HUP, let the clients that are served finish for this long' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l idle -d 'End when there was no client for this long' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l max-time -d 'End a connection that lasts longer than this, with status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l frame -d 'How records are told apart' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l once -d 'End after the first client, with the status of what was done for it'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l echo -d 'Send back what comes'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l hub -d 'Send what comes from each client to every other'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l activate -d 'Hand the listening socket to a single COMMAND, which does all the rest'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l recv-only -d 'Send nothing, and leave stdin alone; the peer is not told that nothing comes'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l send-only -d 'Print nothing, and end when stdin has ended and the peer has read everything'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l type -d 'Whether bytes or messages go through it' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l bind -d 'Connect from this address: tcp:HOST:PORT, where port 0 is any that is free' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l retry -d 'Where nobody listens, try again for this long' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l max-time -d 'End a connection that lasts longer than this, with status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l keepalive -d 'Ask a TCP peer that is silent for this long whether it is still there, 1s to 9h; or inf' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l frame -d 'How records are told apart' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l recv-only -d 'Send nothing, and leave stdin alone; the peer is not told that nothing comes'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l send-only -d 'Print nothing, and end when stdin has ended and the peer has read everything'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -l type -d 'Whether the socket has connections: dgram or seqpacket' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -l bind -d 'Send from this address: udp:HOST:PORT, where port 0 is any that is free' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -l frame -d 'How records are told apart' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -l reply -d 'Wait for an answer to each message and print it'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l type -d 'Whether the socket has connections: dgram or seqpacket' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s m -l mode -d 'Permissions of the path, octal or symbolic, whatever the umask; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l count -d 'How many to receive' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l reply-with -d 'Answer each with this' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l allow-uid -d 'Take messages of this user as well' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l ready -d 'Write a line to this descriptor or file when ready' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l frame -d 'How records are told apart' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s f -l follow -d 'Go on until a signal'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l type -d 'Whether bytes or messages go through it' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -s m -l mode -d 'Permissions of the path, octal or symbolic, whatever the umask; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l backlog -d 'How many clients may wait to be accepted' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l ready -d 'Write a line to this descriptor or file when ready' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l keepalive -d 'Ask a TCP peer that is silent for this long whether it is still there, 1s to 9h; or inf' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l allow-uid -d 'Admit processes of this user' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l allow-gid -d 'Admit processes of this group' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l max-clients -d 'Serve so many at a time; the others wait to be accepted' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l max-per-uid -d 'Serve so many of one user at a time; the user\'s others wait' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l grace -d 'At INT, TERM or HUP, let the clients that are served finish for this long' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l idle -d 'End when there was no client for this long' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l max-time -d 'End a connection that lasts longer than this, with status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l once -d 'End after the first client, with the status of what was done for it'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from pair" -l type -d 'Whether bytes or messages go through it' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from pair" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from pair" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from pair" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from pair" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s a -l all -d 'List connections, and sockets without a name, as well'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand applets" -l install -d 'Make the links in this directory' -r -F
complete -c ipc -n "__fish_ipc_using_subcommand applets" -l remove -d 'Remove the links from this directory' -r -F
complete -c ipc -n "__fish_ipc_using_subcommand applets" -l target -d 'Path of the program when the links are used, if it is another than now' -r -F
complete -c ipc -n "__fish_ipc_using_subcommand applets" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand applets" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand applets" -l force -d 'Replace files that have one of the names'
complete -c ipc -n "__fish_ipc_using_subcommand applets" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand applets" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -s m -l mode -d 'Permissions, octal or symbolic, whatever the umask; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -l trust -d 'Use an object that this user, a member of this group, or any user has made' -r
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from fifo lock map mq sem shm signal sock applets mkfifo help" -f -a "fifo" -d 'Pass bytes through named pipes'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from fifo lock map mq sem shm signal sock applets mkfifo help" -f -a "lock" -d 'Let one work at a time, with locks on files'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from fifo lock map mq sem shm signal sock applets mkfifo help" -f -a "map" -d 'Share files between processes as memory'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from fifo lock map mq sem shm signal sock applets mkfifo help" -f -a "mq" -d 'Send and receive messages through queues of the kernel'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from fifo lock map mq sem shm signal sock applets mkfifo help" -f -a "sem" -d 'Count and limit work with named semaphores'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from fifo lock map mq sem shm signal sock applets mkfifo help" -f -a "shm" -d 'Share memory between processes, POSIX or System V'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from fifo lock map mq sem shm signal sock applets mkfifo help" -f -a "signal" -d 'Send signals to processes, wait for them, and handle them'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from fifo lock map mq sem shm signal sock applets mkfifo help" -f -a "sock" -d 'Serve and connect to sockets'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from fifo lock map mq sem shm signal sock applets mkfifo help" -f -a "applets" -d 'List the names by which links to this program are called, or make or remove the links'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from fifo lock map mq sem shm signal sock applets mkfifo help" -f -a "mkfifo" -d 'Create FIFOs'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from fifo lock map mq sem shm signal sock applets mkfifo help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "create" -d 'Create FIFOs'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "write" -d 'Write stdin or messages into a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "cat" -d 'Print what comes through a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "stat" -d 'Show all that is known of a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "ls" -d 'List the FIFOs of a directory'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "rm" -d 'Remove FIFOs'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "run" -d 'Lock a file and run a command'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "fd" -d 'Lock a descriptor of the calling shell'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "unlock" -d 'Give back the lock of a descriptor'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "test" -d 'Tell whether a file is locked, and by whom'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "take" -d 'Take a lock file'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "drop" -d 'Drop a lock file'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "ls" -d 'List the file locks of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "create" -d 'Create a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "write" -d 'Write stdin into a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "cat" -d 'Print what is in segments'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "peek" -d 'Print numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "poke" -d 'Set numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "add" -d 'Add to a number in a segment, and print the sum'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "cas" -d 'Set a number in a segment if it is as expected'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "wait" -d 'Wait until a number in a segment is as wanted, and print it'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "sync" -d 'Have changes to a file written to the disk'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "resize" -d 'Give a segment another size'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "stat" -d 'Show all that is known of a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "ls" -d 'List the segments of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "rm" -d 'Remove segments'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "create" -d 'Create a message queue'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "send" -d 'Send messages to a queue'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "recv" -d 'Take messages from a queue and print them'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "wait" -d 'Wait until a message is in a queue, and take none'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "set" -d 'Change the limit of a System V queue'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "stat" -d 'Show all that is known of a message queue'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "ls" -d 'List the message queues of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "rm" -d 'Remove message queues, and the messages in them'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "create" -d 'Create a semaphore, or a System V set of them'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "post" -d 'Give back units, or add new ones'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "wait" -d 'Take units, waiting until they are there'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "run" -d 'Hold units while a command runs'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "barrier" -d 'Wait until all parties have come'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "value" -d 'Print the number of units'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "set" -d 'Set the number of units'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "stat" -d 'Show all that is known of a semaphore'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "ls" -d 'List the semaphores of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "rm" -d 'Remove semaphores'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "create" -d 'Create a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "write" -d 'Write stdin into a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "cat" -d 'Print what is in segments'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "peek" -d 'Print numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "poke" -d 'Set numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "add" -d 'Add to a number in a segment, and print the sum'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "cas" -d 'Set a number in a segment if it is as expected'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "wait" -d 'Wait until a number in a segment is as wanted, and print it'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "resize" -d 'Give a segment another size'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "stat" -d 'Show all that is known of a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "ls" -d 'List the segments of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "rm" -d 'Remove segments'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "send" -d 'Send a signal to processes'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "wait" -d 'Wait for signals, and print each'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "trap" -d 'Run a line of shell whenever a signal comes'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "run" -d 'Run a command with signals ignored, blocked, or as they are by default'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "alarm" -d 'Run a command, and signal it if it takes too long'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "info" -d 'Show what a process does with signals'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "ls" -d 'List all signals, their numbers, and what they do by default'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "serve" -d 'Listen at a socket and serve those who connect'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "connect" -d 'Connect stdin and stdout to a socket'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "send" -d 'Send messages to a socket'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "recv" -d 'Receive messages at a socket'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "relay" -d 'Pass connections at one address on to another'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "pair" -d 'Run two commands that talk with each other'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "wait" -d 'Wait until somebody listens'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "stat" -d 'Show all that is known of a socket'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "ls" -d 'List the sockets of this machine'
