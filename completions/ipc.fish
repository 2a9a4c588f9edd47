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
complete -c ipc -n "__fish_ipc_needs_command" -f -a "door" -d 'Serve and call procedures'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "fd" -d 'Pass descriptors on'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "fifo" -d 'Pass bytes by named pipes'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "lock" -d 'Take and test file locks'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "map" -d 'Share files as memory'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "mq" -d 'Queue messages in the kernel'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "pipe" -d 'Connect commands by pipes'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "queue" -d 'Queue messages in memory'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "sem" -d 'Limit work with semaphores'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "shm" -d 'Share memory by name'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "signal" -d 'Send and handle signals'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "sock" -d 'Serve and connect to sockets'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "spool" -d 'Queue work in a directory'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "applets" -d 'List, make or remove links'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "bench" -d 'Measure the mechanisms'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "guide" -d 'Choose a mechanism'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "limits" -d 'Show limits and their use'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "ls" -d 'List the objects of all kinds'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "mkfifo" -d 'Create FIFOs'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "prune" -d 'Remove what is left over'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "who" -d 'Show the users of an object'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ipc -n "__fish_ipc_using_subcommand door; and not __fish_seen_subcommand_from serve call info revoke" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand door; and not __fish_seen_subcommand_from serve call info revoke" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand door; and not __fish_seen_subcommand_from serve call info revoke" -f -a "serve" -d 'Serve a procedure at a path'
complete -c ipc -n "__fish_ipc_using_subcommand door; and not __fish_seen_subcommand_from serve call info revoke" -f -a "call" -d 'Call a procedure'
complete -c ipc -n "__fish_ipc_using_subcommand door; and not __fish_seen_subcommand_from serve call info revoke" -f -a "info" -d 'Show what the server says of its door'
complete -c ipc -n "__fish_ipc_using_subcommand door; and not __fish_seen_subcommand_from serve call info revoke" -f -a "revoke" -d 'Have a server take no more calls'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -s m -l mode -d 'Permissions of the path; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l owner -d 'Owner of the path: USER, USER:GROUP or :GROUP' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l ready -d 'Write a line to this descriptor or file when ready' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l allow-uid -d 'Admit processes of this user' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l allow-gid -d 'Admit processes of this group' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l max-per-uid -d 'Serve at most N clients of one user at a time' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l backlog -d 'Let at most N clients wait to be accepted' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l grace -d 'Let clients finish for this long after a signal' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l idle -d 'End after this long without a client' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l max-calls -d 'Answer at most N calls at a time; the others wait' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l max-size -d 'Refuse longer arguments and answers (64M)' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l max-fds -d 'Take at most N descriptors of a caller; 253 if not given, 0 with --worker' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l call-timeout -d 'End a call that takes longer: status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l cookie -d 'A text that COMMAND and \'ipc door info\' get' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l notify -d 'Report to the service manager: sd_notify(3)'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l worker -d 'Keep COMMAND running for one call after another'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l with-caller -d 'Write \'PID UID GID\' of the caller to the worker, as a record before each argument'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -l with-status -d 'Read the status from the worker, as a record before each answer'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from serve" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from call" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from call" -l fd -d 'Lend the procedure this descriptor' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from call" -s t -l timeout -d 'Time out after this long: status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from call" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from call" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from call" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from call" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from info" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from info" -s t -l timeout -d 'Time out after this long: status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from info" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from info" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from info" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from info" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from revoke" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from revoke" -s t -l timeout -d 'Time out after this long: status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from revoke" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from revoke" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand door; and __fish_seen_subcommand_from revoke" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and not __fish_seen_subcommand_from send recv get memfd ls hold store take drop" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and not __fish_seen_subcommand_from send recv get memfd ls hold store take drop" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and not __fish_seen_subcommand_from send recv get memfd ls hold store take drop" -f -a "send" -d 'Send descriptors to another process'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and not __fish_seen_subcommand_from send recv get memfd ls hold store take drop" -f -a "recv" -d 'Become a command that gets descriptors of another process'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and not __fish_seen_subcommand_from send recv get memfd ls hold store take drop" -f -a "get" -d 'Become a command that gets a copy of a descriptor of a process'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and not __fish_seen_subcommand_from send recv get memfd ls hold store take drop" -f -a "memfd" -d 'Become a command that gets stdin as a file in memory'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and not __fish_seen_subcommand_from send recv get memfd ls hold store take drop" -f -a "ls" -d 'List the descriptors of a process or a holder'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and not __fish_seen_subcommand_from send recv get memfd ls hold store take drop" -f -a "hold" -d 'Hold descriptors between the restarts of a service'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and not __fish_seen_subcommand_from send recv get memfd ls hold store take drop" -f -a "store" -d 'Store descriptors at a holder'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and not __fish_seen_subcommand_from send recv get memfd ls hold store take drop" -f -a "take" -d 'Become a command that gets copies of the descriptors of a holder'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and not __fish_seen_subcommand_from send recv get memfd ls hold store take drop" -f -a "drop" -d 'Have a holder close descriptors'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from send" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from send" -l type -d 'stream (bytes; the default) or seqpacket (messages)' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from send" -l retry -d 'Try again for this long while no process listens' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from send" -s t -l timeout -d 'Time out after this long: status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from send" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from send" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from send" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from send" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from recv" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from recv" -l type -d 'stream (bytes; the default) or seqpacket (messages)' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from recv" -s m -l mode -d 'Permissions of the path; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from recv" -l ready -d 'Write a line to this descriptor or file when ready' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from recv" -s t -l timeout -d 'Time out after this long: status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from recv" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from recv" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from recv" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from recv" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from get" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from get" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from memfd" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from memfd" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from memfd" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from memfd" -l seal -d 'Let no process change the file'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from memfd" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from memfd" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from ls" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from ls" -s t -l timeout -d 'Time out after this long: status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from ls" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from ls" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from ls" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -s m -l mode -d 'Permissions of the path; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -l owner -d 'Owner of the path: USER, USER:GROUP or :GROUP' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -l ready -d 'Write a line to this descriptor or file when ready' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -l allow-uid -d 'Admit processes of this user' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -l allow-gid -d 'Admit processes of this group' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -l max-per-uid -d 'Serve at most N clients of one user at a time' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -l backlog -d 'Let at most N clients wait to be accepted' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -l grace -d 'Let clients finish for this long after a signal' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -l idle -d 'End after this long without a client' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -l expire -d 'Close a descriptor this long after it was stored' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -l max-fds -d 'Hold at most N descriptors' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -l notify -d 'Report to the service manager: sd_notify(3)'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from hold" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from store" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from store" -l expire -d 'Have the holder close them this long after that' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from store" -s t -l timeout -d 'Time out after this long: status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from store" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from store" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from store" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from store" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from take" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from take" -s t -l timeout -d 'Time out after this long: status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from take" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from take" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from take" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from take" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from drop" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from drop" -s t -l timeout -d 'Time out after this long: status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from drop" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from drop" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from drop" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fd; and __fish_seen_subcommand_from drop" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat tee set stat ls rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat tee set stat ls rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat tee set stat ls rm" -f -a "create" -d 'Create FIFOs'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat tee set stat ls rm" -f -a "write" -d 'Write stdin or messages into a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat tee set stat ls rm" -f -a "cat" -d 'Print the bytes that are written into a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat tee set stat ls rm" -f -a "tee" -d 'Copy stdin to several FIFOs and stdout'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat tee set stat ls rm" -f -a "set" -d 'Change the permissions or the owner of a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat tee set stat ls rm" -f -a "stat" -d 'Show the properties, contents and users of a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat tee set stat ls rm" -f -a "ls" -d 'List the FIFOs of a directory'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and not __fish_seen_subcommand_from create write cat tee set stat ls rm" -f -a "rm" -d 'Remove FIFOs'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic; 0600 by default' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -l while -d 'Run COMMAND, and remove the object when it ends'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s m -l mode -d 'Permissions of a FIFO that is created; default 0600' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -l records -d 'Write each record of stdin in one piece'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -l lock -d 'Write each record whole, of any length, under a lock'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -l create -d 'Create the FIFO if it does not exist'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -l progress -d 'Show progress also if stderr is not a terminal'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from write" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -l count -d 'End after this many bytes' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s k -l keep-open -d 'Wait for the next writer after the last one has left'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -l progress -d 'Show progress also if stderr is not a terminal'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from cat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from tee" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from tee" -l slow -d 'What happens to a reader that is too slow' -r -f -a "wait\t'All others wait for it'
drop\t'It misses records'
disconnect\t'Its FIFO is closed'"
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from tee" -l readers -d 'Start when this many FIFOs have a reader' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from tee" -l capacity -d 'Capacity of each pipe, with stdin and stdout' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from tee" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from tee" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from tee" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from tee" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from tee" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from tee" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from tee" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from tee" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from set" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from set" -s m -l mode -d 'New permissions, octal or symbolic' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from set" -l owner -d 'New owner, group, or both; names or numbers' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from stat" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from rm" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore FIFOs that do not exist'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand fifo; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "run" -d 'Lock a file and run a command'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "fd" -d 'Lock a descriptor of the calling shell'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "unlock" -d 'Release the lock of a descriptor'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "test" -d 'Test whether a file is locked, and list the locks'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "take" -d 'Take a lock file'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "drop" -d 'Drop a lock file'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and not __fish_seen_subcommand_from run fd unlock test take drop ls" -f -a "ls" -d 'List the file locks of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -l kind -d 'Kind of the lock' -r -f -a "flock\t'the whole file, as flock(2)'
ofd\t'a range, of the open file'
posix\t'a range, of the process'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -l range -d 'Lock LEN bytes from OFF on; all from OFF if LEN is 0 or missing' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s E -l conflict-exit-code -d 'End with this status instead of 1 and 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -l steal-after -d 'Signal a holder that refuses the lock for this long' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -l then -d 'Send these signals, one after the other; TERM,KILL if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s s -l shared -d 'Share the lock with other shared locks'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s x -l exclusive -d 'Exclude all other locks; this is the default'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s F -l no-fork -d 'Become COMMAND, which holds the lock by an inherited descriptor'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s o -l close -d 'Close the descriptor in COMMAND; this is the default'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -l inherit -d 'Let COMMAND and its children hold the lock by an inherited descriptor'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -l remove -d 'Remove FILE when COMMAND has ended, before the lock is released'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -l kind -d 'Kind of the lock' -r -f -a "flock\t'the whole file, as flock(2)'
ofd\t'a range, of the open file'
posix\t'a range, of the process'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -l range -d 'Lock LEN bytes from OFF on; all from OFF if LEN is 0 or missing' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s E -l conflict-exit-code -d 'End with this status instead of 1 and 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s s -l shared -d 'Share the lock with other shared locks'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s x -l exclusive -d 'Exclude all other locks; this is the default'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from fd" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -l kind -d 'Kind of the lock' -r -f -a "flock\t'the whole file, as flock(2)'
ofd\t'a range, of the open file'
posix\t'a range, of the process'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -l range -d 'Lock LEN bytes from OFF on; all from OFF if LEN is 0 or missing' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -s s -l shared -d 'Share the lock with other shared locks'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -s x -l exclusive -d 'Exclude all other locks; this is the default'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from unlock" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -l range -d 'Test only LEN bytes from OFF on' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -l pidfile -d 'Write only the process ID, as programs that read pidfiles expect'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from test" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -l owner -d 'Owner of the lock file; the calling process by default' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -l pidfile -d 'Write only the process ID, as programs that read pidfiles expect'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from take" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -l owner -d 'Owner of the lock file; the calling process by default' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -l pidfile -d 'Write only the process ID, as programs that read pidfiles expect'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -s f -l force -d 'Drop a lock file of any owner'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from drop" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand lock; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "create" -d 'Create a segment'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "write" -d 'Write stdin into a segment'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "cat" -d 'Print the contents of segments'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "read" -d 'Print the contents of segments'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "peek" -d 'Print numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "poke" -d 'Set numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "add" -d 'Add to a number in a segment, and print the sum'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "cas" -d 'Set a number in a segment if it is as expected'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "wait" -d 'Wait until a number in a segment satisfies a condition, and print it'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "sync" -d 'Write changes of a file to the disk'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "resize" -d 'Give a segment another size'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "set" -d 'Change the permissions or the owner of a segment'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "stat" -d 'Show the properties of a segment'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "ls" -d 'List the segments of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand map; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait sync resize set stat ls rm" -f -a "rm" -d 'Remove segments'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s s -l size -d 'Size in bytes' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic; 0600 by default' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -l huge -d 'Use huge pages, or fail'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -l while -d 'Run COMMAND, and remove the object when it ends'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l offset -d 'Offset of the first byte' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s m -l mode -d 'Permissions of a new segment; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l grow -d 'Let the segment grow if the input does not fit'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l truncate -d 'Let the segment end with the input'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l sync -d 'Write the changes to the disk before the command ends'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -l progress -d 'Show progress also if stderr is not a terminal'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from write" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -l offset -d 'Offset of the first byte' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -l count -d 'Number of bytes to print; all if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -l string -d 'Stop at the first NUL'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -l progress -d 'Show progress also if stderr is not a terminal'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -l offset -d 'Offset of the first byte' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -l count -d 'Number of bytes to print; all if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -l string -d 'Stop at the first NUL'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -l progress -d 'Show progress also if stderr is not a terminal'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from read" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l type -d 'Type of number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l offset -d 'Offset in the segment' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l endian -d 'Byte order: native, little or big' -r -f -a "native\t'The order of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l count -d 'Number of values' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l sep -d 'Separator, instead of a newline' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from peek" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -l type -d 'Type of number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -l offset -d 'Offset in the segment' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -l endian -d 'Byte order: native, little or big' -r -f -a "native\t'The order of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from poke" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -l type -d 'Type of number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -l offset -d 'Offset in the segment' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -l endian -d 'Byte order: native, little or big' -r -f -a "native\t'The order of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from add" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -l type -d 'Type of number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -l offset -d 'Offset in the segment' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -l endian -d 'Byte order: native, little or big' -r -f -a "native\t'The order of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from cas" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l type -d 'Type of number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l offset -d 'Offset in the segment' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l endian -d 'Byte order: native, little or big' -r -f -a "native\t'The order of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l eq -d 'Until it equals VALUE' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l ne -d 'Until it differs from VALUE' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l ge -d 'Until it is VALUE or greater' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l poll -d 'Interval of reading the number without a wake-up; \'inf\' is never' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -l change -d 'Until it differs from its first value'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -l async -d 'Start it, and do not wait for its end'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -l invalidate -d 'Invalidate other mappings, so that they read the file again'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from sync" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from resize" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from resize" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from resize" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from resize" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from resize" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from set" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from set" -s m -l mode -d 'New permissions, octal or symbolic' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from set" -l owner -d 'New owner, group, or both; names or numbers' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from stat" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from rm" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore segments that do not exist'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand map; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "create" -d 'Create a message queue'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "send" -d 'Send messages to a queue'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "recv" -d 'Receive messages from a queue and print them'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "wait" -d 'Wait until there is a message, and receive none'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "set" -d 'Change the permissions, the owner, or the limit of a queue'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "stat" -d 'Show the state of a message queue'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "ls" -d 'List the message queues of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and not __fish_seen_subcommand_from create send recv wait set stat ls rm" -f -a "rm" -d 'Remove message queues, and the messages in them'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -l max-msgs -d 'Maximum number of messages' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -l msg-size -d 'Maximum length of a message' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -l max-bytes -d 'Maximum of all bytes in a System V queue' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic; 0600 by default' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -l while -d 'Run COMMAND, and remove the object when it ends'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s p -l priority -d 'Priority, 0 to 32767; for System V the type, 1 and up' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -l eof -d 'Send N markers of the end after the messages; 1 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -l create -d 'Create the queue if there is none'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from send" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l count -d 'Receive N messages' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l truncate -d 'Cut a longer message of a System V queue to this length; kernel.msgmax if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l peek -d 'Print a copy of a message of a System V queue; the oldest is 0' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l type -d 'Select messages of this System V type; -N is the lowest type up to N' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l except -d 'Select messages of any other System V type' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l retry -d 'Retry for this long while the queue does not exist' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l jobs -d 'Run up to N COMMANDs at a time' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l attempts -d 'Run COMMAND up to N times, until it succeeds' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l retry-delay -d 'Wait this long before the next attempt; 1s if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l dead-letter -d 'Send a message to this queue if its last attempt fails' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l time-limit -d 'Send TERM to a COMMAND that runs longer than this' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l kill-after -d 'Send KILL too if COMMAND still runs this long after TERM' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s E -l conflict-exit-code -d 'End with this status instead of 1 and 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l all -d 'Receive all messages that there are, even none'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s f -l follow -d 'Receive until a signal'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l until-eof -d 'End at a marker of the end, which \'send --eof\' sends'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l show-priority -d 'Print the priority, or the type, and a tab before each message'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s j -l json -d 'Print messages as JSON, with the priority or the type'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l create -d 'Create the queue if there is none'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l exec -d 'Run COMMAND for each message, with it as stdin'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l requeue -d 'Send a message back if its last attempt fails'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -l wait-children -d 'Also wait for the children that COMMAND leaves running'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from recv" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -l type -d 'Select messages of this System V type; -N is the lowest type up to N' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -l except -d 'Select messages of any other System V type' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -l retry -d 'Retry for this long while the queue does not exist' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -l create -d 'Create the queue if there is none'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -l max-bytes -d 'Maximum of all bytes in a System V queue' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -s m -l mode -d 'New permissions, octal or symbolic' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -l owner -d 'New owner, group, or both; names or numbers' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from stat" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from rm" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore queues that do not exist'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand mq; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and not __fish_seen_subcommand_from run tee stat" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and not __fish_seen_subcommand_from run tee stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and not __fish_seen_subcommand_from run tee stat" -f -a "run" -d 'Run commands that are connected by pipes'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and not __fish_seen_subcommand_from run tee stat" -f -a "tee" -d 'Copy stdin to files, FIFOs and stdout'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and not __fish_seen_subcommand_from run tee stat" -f -a "stat" -d 'Show the state of a pipe of a process'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -l capacity -d 'Capacity of each pipe' -r
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -l status -d 'The status that counts' -r -f -a "last\t'Status of the last COMMAND'
any\t'Status of the last COMMAND that failed'
all\t'The same; the status of each is printed on stderr'"
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -l kill-after -d 'End the rest this long after the first has ended' -r
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -l separator -d 'Separate COMMANDs by WORD instead of --' -r
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -l loop -d 'Connect the last COMMAND to the first as well'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -l stderr -d 'Connect stderr too'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -l pty -d 'Give each COMMAND whose stdout is connected a terminal'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -l forgive-sigpipe -d 'Ignore SIGPIPE of a writer whose reader succeeded'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from tee" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from tee" -l capacity -d 'Capacity of each pipe, with stdin and stdout' -r
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from tee" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from tee" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from tee" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from tee" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from stat" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand pipe; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and not __fish_seen_subcommand_from create push pop tap set stat ls close verify rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and not __fish_seen_subcommand_from create push pop tap set stat ls close verify rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and not __fish_seen_subcommand_from create push pop tap set stat ls close verify rm" -f -a "create" -d 'Create a queue'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and not __fish_seen_subcommand_from create push pop tap set stat ls close verify rm" -f -a "push" -d 'Put messages into a queue'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and not __fish_seen_subcommand_from create push pop tap set stat ls close verify rm" -f -a "pop" -d 'Take messages from a queue and print them'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and not __fish_seen_subcommand_from create push pop tap set stat ls close verify rm" -f -a "tap" -d 'Print the messages of a queue without taking them'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and not __fish_seen_subcommand_from create push pop tap set stat ls close verify rm" -f -a "set" -d 'Change the permissions or the owner of a queue'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and not __fish_seen_subcommand_from create push pop tap set stat ls close verify rm" -f -a "stat" -d 'Show the state of a queue'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and not __fish_seen_subcommand_from create push pop tap set stat ls close verify rm" -f -a "ls" -d 'List the queues in shared memory'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and not __fish_seen_subcommand_from create push pop tap set stat ls close verify rm" -f -a "close" -d 'Close a queue, so that it takes no more messages'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and not __fish_seen_subcommand_from create push pop tap set stat ls close verify rm" -f -a "verify" -d 'Check whether a queue is whole'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and not __fish_seen_subcommand_from create push pop tap set stat ls close verify rm" -f -a "rm" -d 'Remove queues, and the messages in them'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from create" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from create" -l capacity -d 'Bytes of the ring, rounded up to a power of two' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic; 0600 by default' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from create" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from create" -l while -d 'Run COMMAND, and remove the object when it ends'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from push" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from push" -l capacity -d 'Bytes of the ring that is created' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from push" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from push" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from push" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from push" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from push" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from push" -l create -d 'Create the queue if there is none'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from push" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from push" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from push" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from push" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l count -d 'How many messages' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l retry -d 'Retry for this long while the queue does not exist' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l batch -d 'Take no more than this at once, or one message; 64K if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l jobs -d 'Run up to N COMMANDs at a time' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l attempts -d 'Run COMMAND up to N times, until it succeeds' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l retry-delay -d 'Wait this long before the next attempt; 1s if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l dead-letter -d 'Send a message to this queue if its last attempt fails' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l time-limit -d 'Send TERM to a COMMAND that runs longer than this' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l kill-after -d 'Send KILL too if COMMAND still runs this long after TERM' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -s E -l conflict-exit-code -d 'End with this status instead of 1 and 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l all -d 'All messages that are in the queue; it may be empty'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -s f -l follow -d 'Continue until a signal or until it is closed'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -s j -l json -d 'Print each message as a line of JSON'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l exec -d 'Run COMMAND for each message, with it as stdin'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l requeue -d 'Send a message back if its last attempt fails'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -l wait-children -d 'Also wait for the children that COMMAND leaves running'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from pop" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from tap" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from tap" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from tap" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from tap" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from tap" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from tap" -s f -l follow -d 'Continue with new messages until a signal'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from tap" -s j -l json -d 'Print each message as a line of JSON'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from tap" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from tap" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from tap" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from tap" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from set" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from set" -s m -l mode -d 'New permissions, octal or symbolic' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from set" -l owner -d 'New owner, group, or both; names or numbers' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from stat" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from ls" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from ls" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from ls" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from ls" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from close" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from close" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from close" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from close" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from close" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from close" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from close" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from verify" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from verify" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from verify" -l repair -d 'Make the repairs that lose no message; the status is 0 if these were all'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from verify" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from verify" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from verify" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from rm" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore what does not exist'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand queue; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "create" -d 'Create a semaphore, or a System V set of semaphores'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "post" -d 'Increment the value'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "wait" -d 'Decrement the value, waiting until it is large enough'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "run" -d 'Run a command while holding permits'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "barrier" -d 'Wait until all parties have arrived'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "value" -d 'Print the value'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "set" -d 'Set the value, the permissions or the owner'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "stat" -d 'Show the properties of a semaphore'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "ls" -d 'List the semaphores of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait run barrier value set stat ls rm" -f -a "rm" -d 'Remove semaphores'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -l value -d 'Initial value' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -l nsems -d 'Number of semaphores in a System V set' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic; 0600 by default' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -l reset -d 'Set the value of an existing semaphore'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -l while -d 'Run COMMAND, and remove the object when it ends'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -l count -d 'Change the value by N' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -l index -d 'Use semaphore I of a System V set, from 0' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -l undo -d 'Have the kernel revert it when this process ends (System V)'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -l count -d 'Change the value by N' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -l index -d 'Use semaphore I of a System V set, from 0' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -l create -d 'Create the semaphore with value N if it is missing' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -l undo -d 'Have the kernel revert it when this process ends (System V)'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -l zero -d 'Wait until the value is 0 instead (System V)'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -l count -d 'Number of permits' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -l create -d 'Create the semaphore with value N if it is missing' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -l index -d 'Use semaphore I of a System V set, from 0' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s E -l conflict-exit-code -d 'End with this status instead of 1 and 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -l close -d 'Close the descriptor in COMMAND'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -l parties -d 'Number of parties, including this one' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from barrier" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -l index -d 'Use semaphore I of a System V set, from 0' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -s m -l mode -d 'New permissions, octal or symbolic' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -l owner -d 'New owner, group, or both; names or numbers' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -l index -d 'Use semaphore I of a System V set, from 0' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from stat" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore missing semaphores, and remove semaphores that are in use'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "create" -d 'Create a segment'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "write" -d 'Write stdin into a segment'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "cat" -d 'Print the contents of segments'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "read" -d 'Print the contents of segments'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "peek" -d 'Print numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "poke" -d 'Set numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "add" -d 'Add to a number in a segment, and print the sum'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "cas" -d 'Set a number in a segment if it is as expected'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "wait" -d 'Wait until a number in a segment satisfies a condition, and print it'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "resize" -d 'Give a segment another size'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "set" -d 'Change the permissions or the owner of a segment'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "stat" -d 'Show the properties of a segment'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "ls" -d 'List the segments of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and not __fish_seen_subcommand_from create write cat read peek poke add cas wait resize set stat ls rm" -f -a "rm" -d 'Remove segments'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s s -l size -d 'Size in bytes' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic; 0600 by default' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -l huge -d 'Use huge pages, or fail'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -l while -d 'Run COMMAND, and remove the object when it ends'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -l offset -d 'Offset of the first byte' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s m -l mode -d 'Permissions of a new segment; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -l grow -d 'Let the segment grow if the input does not fit'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -l truncate -d 'Let the segment end with the input'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -l progress -d 'Show progress also if stderr is not a terminal'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from write" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -l offset -d 'Offset of the first byte' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -l count -d 'Number of bytes to print; all if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -l string -d 'Stop at the first NUL'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -l progress -d 'Show progress also if stderr is not a terminal'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -l offset -d 'Offset of the first byte' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -l count -d 'Number of bytes to print; all if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -l string -d 'Stop at the first NUL'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -l progress -d 'Show progress also if stderr is not a terminal'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from read" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l type -d 'Type of number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l offset -d 'Offset in the segment' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l endian -d 'Byte order: native, little or big' -r -f -a "native\t'The order of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l count -d 'Number of values' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l sep -d 'Separator, instead of a newline' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from peek" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -l type -d 'Type of number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -l offset -d 'Offset in the segment' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -l endian -d 'Byte order: native, little or big' -r -f -a "native\t'The order of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from poke" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -l type -d 'Type of number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -l offset -d 'Offset in the segment' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -l endian -d 'Byte order: native, little or big' -r -f -a "native\t'The order of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from add" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -l type -d 'Type of number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -l offset -d 'Offset in the segment' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -l endian -d 'Byte order: native, little or big' -r -f -a "native\t'The order of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -l guard -d 'Hold a permit of this semaphore meanwhile' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from cas" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l type -d 'Type of number' -r -f -a "i8\t''
u8\t''
i16\t''
u16\t''
i32\t''
u32\t''
i64\t''
u64\t''
f32\t''
f64\t''"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l offset -d 'Offset in the segment' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l endian -d 'Byte order: native, little or big' -r -f -a "native\t'The order of this machine'
little\t'Least significant byte first'
big\t'Most significant byte first'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l eq -d 'Until it equals VALUE' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l ne -d 'Until it differs from VALUE' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l ge -d 'Until it is VALUE or greater' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l poll -d 'Interval of reading the number without a wake-up; \'inf\' is never' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -l change -d 'Until it differs from its first value'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from resize" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from resize" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from resize" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from resize" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from resize" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from set" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from set" -s m -l mode -d 'New permissions, octal or symbolic' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from set" -l owner -d 'New owner, group, or both; names or numbers' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from stat" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from rm" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore segments that do not exist'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand shm; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run init alarm info ls" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run init alarm info ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run init alarm info ls" -f -a "send" -d 'Send a signal to processes'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run init alarm info ls" -f -a "wait" -d 'Wait for signals, and print each'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run init alarm info ls" -f -a "trap" -d 'Run a line of shell whenever a signal arrives'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run init alarm info ls" -f -a "run" -d 'Run a command with signals ignored, blocked, or with their default effects'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run init alarm info ls" -f -a "init" -d 'Run a command as the first process of a container'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run init alarm info ls" -f -a "alarm" -d 'Run a command, and signal it at a time limit'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run init alarm info ls" -f -a "info" -d 'Show the signals that a process blocks, ignores and catches'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and not __fish_seen_subcommand_from send wait trap run init alarm info ls" -f -a "ls" -d 'List all signals with their numbers and default effects'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l value -d 'Queue the signal with this value' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s t -l timeout -d 'Wait at most this long' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l then -d 'Send this signal after the timeout, and wait again' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l pidfile -d 'Signal the process that a pidfile or lock file names' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l name -d 'Signal the only process of this name' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s g -l group -d 'Signal process groups; 0 is that of the caller'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s w -l wait -d 'Wait until all processes have ended'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l force -d 'Signal the process even if the pidfile is older than it'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l newest -d 'Signal the newest process of that name'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l all -d 'Signal all processes of that name'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -l all-processes -d 'Signal all processes, except this one and PID 1'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from send" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -l count -d 'Wait for N signals' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -l ready -d 'Write a line to this descriptor or file when ready' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s f -l follow -d 'Print signals until another signal ends the command'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from trap" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from trap" -l on -d 'Signal, or EXIT, and the line that sh(1) runs for it; may be repeated' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from trap" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from trap" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from trap" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from trap" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -l ignore -d 'Ignore this signal; may be repeated' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -l default -d 'Give this signal its default effect; may be repeated' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -l block -d 'Block this signal; may be repeated' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from init" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from init" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from init" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from init" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -s s -l signal -d 'Signal to send at the limit' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -s k -l kill-after -d 'Send KILL if COMMAND still runs this long after the signal' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -l foreground -d 'Stay in the terminal\'s process group, and signal only COMMAND'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -l preserve-status -d 'Exit with the status of COMMAND even after the limit'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from alarm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -l tree -d 'List also its children and their descendants'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from info" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand signal; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait notify stat ls" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait notify stat ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait notify stat ls" -f -a "serve" -d 'Listen at a socket and serve clients'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait notify stat ls" -f -a "connect" -d 'Connect stdin and stdout to a socket'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait notify stat ls" -f -a "send" -d 'Send messages to a socket'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait notify stat ls" -f -a "recv" -d 'Receive messages at a socket'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait notify stat ls" -f -a "relay" -d 'Forward connections from one address to another'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait notify stat ls" -f -a "pair" -d 'Run two commands that are connected by a socket'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait notify stat ls" -f -a "wait" -d 'Wait until a process listens at a socket'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait notify stat ls" -f -a "notify" -d 'Report states to the service manager, and wait until it has read them'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait notify stat ls" -f -a "stat" -d 'Show the state of a socket'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and not __fish_seen_subcommand_from serve connect send recv relay pair wait notify stat ls" -f -a "ls" -d 'List the sockets of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l type -d 'stream (bytes; the default) or seqpacket (messages)' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -s m -l mode -d 'Permissions of the path; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l owner -d 'Owner of the path: USER, USER:GROUP or :GROUP' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l ready -d 'Write a line to this descriptor or file when ready' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l allow-uid -d 'Admit processes of this user' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l allow-gid -d 'Admit processes of this group' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l max-per-uid -d 'Serve at most N clients of one user at a time' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l backlog -d 'Let at most N clients wait to be accepted' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l grace -d 'Let clients finish for this long after a signal' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l idle -d 'End after this long without a client' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l max-clients -d 'Serve at most N clients at a time; the others wait' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l keepalive -d 'Probe a TCP peer that is silent for this long: 1s to 9h, or inf' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l max-time -d 'End a connection after this long, with status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l idle-timeout -d 'End a connection after this long without a byte, with status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l echo -d 'Send each client its own bytes back'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l hub -d 'Send the bytes of each client to every other'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l notify -d 'Report to the service manager: sd_notify(3)'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l once -d 'End after the first client, with its status'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l activate -d 'Hand the listening socket to a single COMMAND'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l recv-only -d 'Receive only, and do not read stdin'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -l send-only -d 'Send only, and drop what the peer sends'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from serve" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l type -d 'stream (bytes; the default) or seqpacket (messages)' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l bind -d 'Connect from this address: tcp:HOST:PORT' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l retry -d 'Try again for this long while no process listens' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l max-time -d 'End a connection after this long, with status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l idle-timeout -d 'End a connection after this long without a byte, with status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l keepalive -d 'Probe a TCP peer that is silent for this long: 1s to 9h, or inf' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l recv-only -d 'Receive only, and do not read stdin'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l send-only -d 'Send only, and drop what the peer sends'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -l progress -d 'Show progress also if stderr is not a terminal'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from connect" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -l type -d 'dgram (the default) or seqpacket (connections)' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -l bind -d 'Send from this address: udp:HOST:PORT' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -l reply -d 'Wait for an answer to each message and print it'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from send" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l type -d 'dgram (the default) or seqpacket (connections)' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s m -l mode -d 'Permissions of the path; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l count -d 'End after N messages' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l reply-with -d 'Answer each message with this' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l allow-uid -d 'Accept messages of this user too' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l ready -d 'Write a line to this descriptor or file when ready' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s f -l follow -d 'Continue until a signal'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from recv" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l type -d 'stream (bytes; the default) or seqpacket (messages)' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -s m -l mode -d 'Permissions of the path; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l owner -d 'Owner of the path: USER, USER:GROUP or :GROUP' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l ready -d 'Write a line to this descriptor or file when ready' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l allow-uid -d 'Admit processes of this user' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l allow-gid -d 'Admit processes of this group' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l max-per-uid -d 'Serve at most N clients of one user at a time' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l backlog -d 'Let at most N clients wait to be accepted' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l grace -d 'Let clients finish for this long after a signal' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l idle -d 'End after this long without a client' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l max-clients -d 'Serve at most N clients at a time; the others wait' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l keepalive -d 'Probe a TCP peer that is silent for this long: 1s to 9h, or inf' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l max-time -d 'End a connection after this long, with status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l idle-timeout -d 'End a connection after this long without a byte, with status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l notify -d 'Report to the service manager: sd_notify(3)'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -l once -d 'End after the first client, with its status'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from relay" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from pair" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from pair" -l type -d 'stream (bytes; the default) or seqpacket (messages)' -r -f -a "stream\t'Bytes in order, without boundaries'
seqpacket\t'Messages in order, over a connection'
dgram\t'Messages, each on its own'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from pair" -l separator -d 'Separate COMMANDs by WORD instead of --' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from pair" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from pair" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from pair" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from pair" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from notify" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from notify" -s t -l timeout -d 'Wait at most this long for the manager: status 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from notify" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from notify" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from notify" -l no-wait -d 'Do not wait until the manager has read the report'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from notify" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from notify" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from stat" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s a -l all -d 'List connections, and sockets without a name, too'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand sock; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -f -a "create" -d 'Create a spool'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -f -a "put" -d 'Put messages into a spool'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -f -a "take" -d 'Run a COMMAND for each message of a spool'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -f -a "watch" -d 'Run a COMMAND for each file that is dropped into a directory'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -f -a "join" -d 'Wait until messages are done'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -f -a "pause" -d 'Let workers take no message'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -f -a "resume" -d 'Let workers take messages again'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -f -a "ls" -d 'List the messages of a spool'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -f -a "stat" -d 'Show all that is known of a spool'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -f -a "requeue" -d 'Return failed messages to those that wait'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and not __fish_seen_subcommand_from create put take watch join pause resume ls stat requeue rm" -f -a "rm" -d 'Remove messages, or a spool'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from create" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic; 0600 by default' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from create" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -l name -d 'Name of the message; it gets one if none is given' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -l dedupe -d 'Name it, and put nothing if a message of that name is there' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -l priority -d 'The highest is taken first: 0 (the default) to 32767' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -l delay -d 'Let no worker take it before this time has passed' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -l frame -d 'Separate records in this form' -r -f -a "line\t'A line each, without its newline'
null\t'Each ends with a NUL'
whole\t'All of it is one record; on output nothing is added'
len4\t'A 4-byte little-endian length, then the bytes'
netstring\t'A length in decimal, a colon, the bytes, a comma'"
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -l each-line -d 'Make each line of the input a message'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -l create -d 'Create the spool if there is none'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -s 0 -l null -d 'Records end with NUL instead of newline'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from put" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -l count -d 'How many messages; 1 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -l log -d 'Keep up to SIZE bytes of the output of COMMAND in logs/NAME' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -l keep -d 'Remember for this long which messages are done, for \'join\'; 1d if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -l jobs -d 'Run up to N COMMANDs at a time' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -l attempts -d 'Run COMMAND up to N times, until it succeeds' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -l retry-delay -d 'Wait this long before the next attempt; 1s if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -l time-limit -d 'Send TERM to a COMMAND that runs longer than this' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -l kill-after -d 'Send KILL too if COMMAND still runs this long after TERM' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -s E -l conflict-exit-code -d 'End with this status instead of 1 and 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -l all -d 'All messages that are there; none is success as well'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -s f -l follow -d 'Go on until a signal'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -l wait-children -d 'Also wait for the children that COMMAND leaves running'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from take" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -l settle -d 'How long a file must be unchanged, if its writers cannot be seen; 2s if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -l jobs -d 'Run up to N COMMANDs at a time' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -l attempts -d 'Run COMMAND up to N times, until it succeeds' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -l retry-delay -d 'Wait this long before the next attempt; 1s if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -l time-limit -d 'Send TERM to a COMMAND that runs longer than this' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -l kill-after -d 'Send KILL too if COMMAND still runs this long after TERM' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -s E -l conflict-exit-code -d 'End with this status instead of 1 and 124' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -l keep-files -d 'Leave files that are done; they are taken again when they change'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -l all -d 'Take the files that are there, and end'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -l wait-children -d 'Also wait for the children that COMMAND leaves running'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from watch" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from join" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from join" -s t -l timeout -d 'Time out after this long: status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from join" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from join" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from join" -s n -l nonblock -d 'Do not wait: end with status 1 instead'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from join" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from join" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from pause" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from pause" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from pause" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from pause" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from resume" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from resume" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from resume" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from resume" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from ls" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from ls" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from ls" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from ls" -l failed -d 'List the messages whose last attempt failed'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from ls" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from ls" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from stat" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from stat" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from stat" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from stat" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from stat" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from stat" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from requeue" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from requeue" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from requeue" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from requeue" -l failed -d 'All messages that failed'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from requeue" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from requeue" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from rm" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore what does not exist'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from rm" -l purge -d 'Remove the spool with all that is in it'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand spool; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand applets" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand applets" -l install -d 'Make the links in this directory' -r -F
complete -c ipc -n "__fish_ipc_using_subcommand applets" -l remove -d 'Remove the links from this directory' -r -F
complete -c ipc -n "__fish_ipc_using_subcommand applets" -l target -d 'Path of the program when the links are used, if it differs' -r -F
complete -c ipc -n "__fish_ipc_using_subcommand applets" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand applets" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand applets" -l force -d 'Replace files with these names'
complete -c ipc -n "__fish_ipc_using_subcommand applets" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand applets" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand bench" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand bench" -s s -l size -d 'Sizes of messages, such as 100,4K,1M; default 100' -r
complete -c ipc -n "__fish_ipc_using_subcommand bench" -s d -l duration -d 'Time for each result; default 0.5s' -r
complete -c ipc -n "__fish_ipc_using_subcommand bench" -l rate -d 'Send N messages a second' -r
complete -c ipc -n "__fish_ipc_using_subcommand bench" -l contended -d 'Send from N processes to one' -r
complete -c ipc -n "__fish_ipc_using_subcommand bench" -l cpus -d 'The CPU of the receiver, and of the senders' -r
complete -c ipc -n "__fish_ipc_using_subcommand bench" -l rounds -d 'Divide the time into N rounds; default 5' -r
complete -c ipc -n "__fish_ipc_using_subcommand bench" -l raw -d 'Write every sample to a file: mechanism, size and nanoseconds' -r -F
complete -c ipc -n "__fish_ipc_using_subcommand bench" -l plot -d 'Draw the results into an SVG file' -r -F
complete -c ipc -n "__fish_ipc_using_subcommand bench" -l compare -d 'Print what changed since an output of --json' -r -F
complete -c ipc -n "__fish_ipc_using_subcommand bench" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand bench" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand bench" -s l -l latency -d 'Measure the time of a message'
complete -c ipc -n "__fish_ipc_using_subcommand bench" -l throughput -d 'Measure the number of messages'
complete -c ipc -n "__fish_ipc_using_subcommand bench" -l spin -d 'Do not sleep while waiting'
complete -c ipc -n "__fish_ipc_using_subcommand bench" -l csv -d 'Print comma-separated values'
complete -c ipc -n "__fish_ipc_using_subcommand bench" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand bench" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand bench" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand guide" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand guide" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand guide" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand guide" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand guide" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand guide" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand limits" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand limits" -l above -d 'List only limits used to at least N percent' -r
complete -c ipc -n "__fish_ipc_using_subcommand limits" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand limits" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand limits" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand limits" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand limits" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand limits" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand limits" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand limits" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand limits" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand limits" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand ls" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand ls" -s k -l kind -d 'Only objects of this kind; repeatable' -r -f -a "shm\t''
sem\t''
mq\t''
queue\t''
fifo\t''
sock\t''
door\t''
lock\t''
lockfile\t''
spool\t''
memory\t''"
complete -c ipc -n "__fish_ipc_using_subcommand ls" -s u -l user -d 'Only objects of this user' -r
complete -c ipc -n "__fish_ipc_using_subcommand ls" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand ls" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand ls" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand ls" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand ls" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand ls" -l mine -d 'Only your objects'
complete -c ipc -n "__fish_ipc_using_subcommand ls" -l stale -d 'Only objects without a live holder'
complete -c ipc -n "__fish_ipc_using_subcommand ls" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand ls" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand ls" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand ls" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand ls" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -s m -l mode -d 'Permissions, octal or symbolic; 0600 by default' -r
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -l trust -d 'Use an object made by this user, a member of this group, or any user' -r
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -l while -d 'Run COMMAND, and remove the object when it ends'
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand mkfifo" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand prune" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand prune" -s k -l kind -d 'Only objects of this kind; repeatable' -r -f -a "shm\t''
sem\t''
mq\t''
queue\t''
fifo\t''
sock\t''
door\t''
lock\t''
lockfile\t''
spool\t''
memory\t''"
complete -c ipc -n "__fish_ipc_using_subcommand prune" -s u -l user -d 'Only objects of this user' -r
complete -c ipc -n "__fish_ipc_using_subcommand prune" -l older-than -d 'Only what was not used for this long' -r
complete -c ipc -n "__fish_ipc_using_subcommand prune" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand prune" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand prune" -s n -l dry-run -d 'Show what would be removed, and remove nothing'
complete -c ipc -n "__fish_ipc_using_subcommand prune" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand prune" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand prune" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand who" -l color -d 'Colour headings and diagnostics; default auto' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Also in a file or a pipe, and with NO_COLOR'
never\t'Nowhere'"
complete -c ipc -n "__fish_ipc_using_subcommand who" -l filter -d 'List only those that meet a condition, such as \'size>=64K\'' -r
complete -c ipc -n "__fish_ipc_using_subcommand who" -l sort -d 'Sort by these keys; -KEY sorts in descending order' -r
complete -c ipc -n "__fish_ipc_using_subcommand who" -s o -l output -d 'Print these columns; \'+KEY,...\' adds columns' -r
complete -c ipc -n "__fish_ipc_using_subcommand who" -s q -l quiet -d 'Print no diagnostics'
complete -c ipc -n "__fish_ipc_using_subcommand who" -s v -l verbose -d 'Report progress on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand who" -l noheadings -d 'Print no headings'
complete -c ipc -n "__fish_ipc_using_subcommand who" -l human -d 'Print sizes as in 1.5M; JSON has bytes'
complete -c ipc -n "__fish_ipc_using_subcommand who" -s j -l json -d 'Print JSON'
complete -c ipc -n "__fish_ipc_using_subcommand who" -s h -l help -d 'Print help; --help has all options and examples'
complete -c ipc -n "__fish_ipc_using_subcommand who" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "door" -d 'Serve and call procedures'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "fd" -d 'Pass descriptors on'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "fifo" -d 'Pass bytes by named pipes'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "lock" -d 'Take and test file locks'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "map" -d 'Share files as memory'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "mq" -d 'Queue messages in the kernel'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "pipe" -d 'Connect commands by pipes'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "queue" -d 'Queue messages in memory'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "sem" -d 'Limit work with semaphores'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "shm" -d 'Share memory by name'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "signal" -d 'Send and handle signals'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "sock" -d 'Serve and connect to sockets'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "spool" -d 'Queue work in a directory'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "applets" -d 'List, make or remove links'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "bench" -d 'Measure the mechanisms'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "guide" -d 'Choose a mechanism'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "limits" -d 'Show limits and their use'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "ls" -d 'List the objects of all kinds'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "mkfifo" -d 'Create FIFOs'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "prune" -d 'Remove what is left over'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "who" -d 'Show the users of an object'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from door fd fifo lock map mq pipe queue sem shm signal sock spool applets bench guide limits ls mkfifo prune who help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from door" -f -a "serve" -d 'Serve a procedure at a path'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from door" -f -a "call" -d 'Call a procedure'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from door" -f -a "info" -d 'Show what the server says of its door'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from door" -f -a "revoke" -d 'Have a server take no more calls'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fd" -f -a "send" -d 'Send descriptors to another process'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fd" -f -a "recv" -d 'Become a command that gets descriptors of another process'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fd" -f -a "get" -d 'Become a command that gets a copy of a descriptor of a process'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fd" -f -a "memfd" -d 'Become a command that gets stdin as a file in memory'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fd" -f -a "ls" -d 'List the descriptors of a process or a holder'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fd" -f -a "hold" -d 'Hold descriptors between the restarts of a service'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fd" -f -a "store" -d 'Store descriptors at a holder'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fd" -f -a "take" -d 'Become a command that gets copies of the descriptors of a holder'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fd" -f -a "drop" -d 'Have a holder close descriptors'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "create" -d 'Create FIFOs'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "write" -d 'Write stdin or messages into a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "cat" -d 'Print the bytes that are written into a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "tee" -d 'Copy stdin to several FIFOs and stdout'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "set" -d 'Change the permissions or the owner of a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "stat" -d 'Show the properties, contents and users of a FIFO'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "ls" -d 'List the FIFOs of a directory'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from fifo" -f -a "rm" -d 'Remove FIFOs'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "run" -d 'Lock a file and run a command'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "fd" -d 'Lock a descriptor of the calling shell'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "unlock" -d 'Release the lock of a descriptor'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "test" -d 'Test whether a file is locked, and list the locks'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "take" -d 'Take a lock file'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "drop" -d 'Drop a lock file'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from lock" -f -a "ls" -d 'List the file locks of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "create" -d 'Create a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "write" -d 'Write stdin into a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "cat" -d 'Print the contents of segments'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "peek" -d 'Print numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "poke" -d 'Set numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "add" -d 'Add to a number in a segment, and print the sum'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "cas" -d 'Set a number in a segment if it is as expected'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "wait" -d 'Wait until a number in a segment satisfies a condition, and print it'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "sync" -d 'Write changes of a file to the disk'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "resize" -d 'Give a segment another size'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "set" -d 'Change the permissions or the owner of a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "stat" -d 'Show the properties of a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "ls" -d 'List the segments of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from map" -f -a "rm" -d 'Remove segments'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "create" -d 'Create a message queue'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "send" -d 'Send messages to a queue'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "recv" -d 'Receive messages from a queue and print them'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "wait" -d 'Wait until there is a message, and receive none'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "set" -d 'Change the permissions, the owner, or the limit of a queue'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "stat" -d 'Show the state of a message queue'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "ls" -d 'List the message queues of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from mq" -f -a "rm" -d 'Remove message queues, and the messages in them'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from pipe" -f -a "run" -d 'Run commands that are connected by pipes'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from pipe" -f -a "tee" -d 'Copy stdin to files, FIFOs and stdout'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from pipe" -f -a "stat" -d 'Show the state of a pipe of a process'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "create" -d 'Create a queue'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "push" -d 'Put messages into a queue'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "pop" -d 'Take messages from a queue and print them'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "tap" -d 'Print the messages of a queue without taking them'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "set" -d 'Change the permissions or the owner of a queue'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "stat" -d 'Show the state of a queue'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "ls" -d 'List the queues in shared memory'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "close" -d 'Close a queue, so that it takes no more messages'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "verify" -d 'Check whether a queue is whole'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from queue" -f -a "rm" -d 'Remove queues, and the messages in them'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "create" -d 'Create a semaphore, or a System V set of semaphores'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "post" -d 'Increment the value'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "wait" -d 'Decrement the value, waiting until it is large enough'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "run" -d 'Run a command while holding permits'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "barrier" -d 'Wait until all parties have arrived'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "value" -d 'Print the value'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "set" -d 'Set the value, the permissions or the owner'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "stat" -d 'Show the properties of a semaphore'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "ls" -d 'List the semaphores of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "rm" -d 'Remove semaphores'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "create" -d 'Create a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "write" -d 'Write stdin into a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "cat" -d 'Print the contents of segments'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "peek" -d 'Print numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "poke" -d 'Set numbers in a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "add" -d 'Add to a number in a segment, and print the sum'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "cas" -d 'Set a number in a segment if it is as expected'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "wait" -d 'Wait until a number in a segment satisfies a condition, and print it'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "resize" -d 'Give a segment another size'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "set" -d 'Change the permissions or the owner of a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "stat" -d 'Show the properties of a segment'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "ls" -d 'List the segments of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from shm" -f -a "rm" -d 'Remove segments'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "send" -d 'Send a signal to processes'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "wait" -d 'Wait for signals, and print each'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "trap" -d 'Run a line of shell whenever a signal arrives'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "run" -d 'Run a command with signals ignored, blocked, or with their default effects'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "init" -d 'Run a command as the first process of a container'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "alarm" -d 'Run a command, and signal it at a time limit'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "info" -d 'Show the signals that a process blocks, ignores and catches'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from signal" -f -a "ls" -d 'List all signals with their numbers and default effects'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "serve" -d 'Listen at a socket and serve clients'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "connect" -d 'Connect stdin and stdout to a socket'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "send" -d 'Send messages to a socket'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "recv" -d 'Receive messages at a socket'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "relay" -d 'Forward connections from one address to another'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "pair" -d 'Run two commands that are connected by a socket'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "wait" -d 'Wait until a process listens at a socket'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "notify" -d 'Report states to the service manager, and wait until it has read them'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "stat" -d 'Show the state of a socket'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sock" -f -a "ls" -d 'List the sockets of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from spool" -f -a "create" -d 'Create a spool'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from spool" -f -a "put" -d 'Put messages into a spool'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from spool" -f -a "take" -d 'Run a COMMAND for each message of a spool'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from spool" -f -a "watch" -d 'Run a COMMAND for each file that is dropped into a directory'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from spool" -f -a "join" -d 'Wait until messages are done'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from spool" -f -a "pause" -d 'Let workers take no message'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from spool" -f -a "resume" -d 'Let workers take messages again'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from spool" -f -a "ls" -d 'List the messages of a spool'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from spool" -f -a "stat" -d 'Show all that is known of a spool'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from spool" -f -a "requeue" -d 'Return failed messages to those that wait'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from spool" -f -a "rm" -d 'Remove messages, or a spool'
