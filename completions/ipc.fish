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
complete -c ipc -n "__fish_ipc_needs_command" -f -a "sem" -d 'Count and limit work with named semaphores'
complete -c ipc -n "__fish_ipc_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait value stat ls rm" -s h -l help -d 'Print help'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait value stat ls rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait value stat ls rm" -f -a "create" -d 'Create a semaphore'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait value stat ls rm" -f -a "post" -d 'Give back units, or add new ones'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait value stat ls rm" -f -a "wait" -d 'Take a unit, waiting until there is one'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait value stat ls rm" -f -a "value" -d 'Print the number of units'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait value stat ls rm" -f -a "stat" -d 'Show all that is known of a semaphore'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait value stat ls rm" -f -a "ls" -d 'List the semaphores of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and not __fish_seen_subcommand_from create post wait value stat ls rm" -f -a "rm" -d 'Remove semaphores'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -l value -d 'Units that it has at first' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s m -l mode -d 'Permissions, octal or symbolic, whatever the umask; 0600 if not given' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s e -l exist-ok -d 'Succeed if it exists already'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from create" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -l count -d 'How many' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from post" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s t -l timeout -d 'Give up after this long, with status 124; 0 tries once' -r
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s n -l nonblock -d 'Do not wait: status 1 where it would block'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from wait" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -s q -l quiet -d 'Print no diagnostics: the status says it all'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -s v -l verbose -d 'Say what happens, on stderr'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from value" -s V -l version -d 'Print version'
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
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s f -l force -d 'Ignore what does not exist'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipc -n "__fish_ipc_using_subcommand sem; and __fish_seen_subcommand_from rm" -s V -l version -d 'Print version'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from sem help" -f -a "sem" -d 'Count and limit work with named semaphores'
complete -c ipc -n "__fish_ipc_using_subcommand help; and not __fish_seen_subcommand_from sem help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "create" -d 'Create a semaphore'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "post" -d 'Give back units, or add new ones'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "wait" -d 'Take a unit, waiting until there is one'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "value" -d 'Print the number of units'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "stat" -d 'Show all that is known of a semaphore'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "ls" -d 'List the semaphores of this machine'
complete -c ipc -n "__fish_ipc_using_subcommand help; and __fish_seen_subcommand_from sem" -f -a "rm" -d 'Remove semaphores'
