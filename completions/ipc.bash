# Completion of ipc and its links in bash. The program itself finds the words: 'ipc __complete'.

_ipc() {
    local program=${COMP_WORDS[0]} line=${COMP_LINE:0:COMP_POINT} reply first separators index
    [[ $program == '~'/* ]] && program=$HOME${program:1}
    COMPREPLY=()
    # A program of an older version does not know the word, and bash completes as without this script.
    reply=$("$program" __complete bash "$COMP_TYPE" "${COLUMNS:-80}" "$line" "$2" 2>/dev/null) || {
        compopt -o bashdefault -o default
        return
    }
    first=${reply%%$'\n'*}
    case $first in
        words | open)
            [[ $first == open ]] && compopt -o nospace
            [[ $reply == *$'\n'* ]] && mapfile -t COMPREPLY <<<"${reply#*$'\n'}"
            ;;
        command\ *)
            separators=${first#command }
            for ((index = 0; separators; index++)); do
                [[ ${COMP_WORDS[index]} == -- ]] && ((separators--))
            done
            _ipc_command "$index" "$2"
            ;;
        *) compopt -o bashdefault -o default ;;
    esac
}

# Completes the command that begins with the word of this index.
_ipc_command() {
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$1"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif ((COMP_CWORD == $1)); then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -c -- "$2")
    else
        compopt -o bashdefault -o default
    fi
}

# Links with these names are completed if they lead to this program: others have such names too.
_ipc_register() {
    local ipc name
    complete -F _ipc ipc
    hash ipc 2>/dev/null && ipc=${BASH_CMDS[ipc]}
    for name in door fd fifo lock map mq pipe queue sem shm signal sock spool; do
        if hash "$name" 2>/dev/null && [[ ${BASH_CMDS[$name]} -ef $ipc ]]; then
            complete -F _ipc "$name"
        fi
    done
}

_ipc_register

# Under the name of a link, this file yields to another if the name is not a link to this program.
[[ ${BASH_SOURCE[0]##*/} == ipc?(.bash) ]] || complete -p "${BASH_SOURCE[0]##*/}" &>/dev/null
