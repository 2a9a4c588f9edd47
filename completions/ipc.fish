# Completion of ipc and its links in fish. The program itself finds the words: 'ipc __complete'.

function __ipc_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    if string match -q -- '~*' $current
        __fish_complete_path $current
        return
    end
    set current (string unescape -- $current; or printf '%s' $current)
    set -l program $words[1]
    string match -q -- '~/*' $program; and set program $HOME(string sub -s 2 -- $program)
    # A program of an older version does not know the word, and fish completes files.
    set -l records ($program __complete fish $words "$current" 2>/dev/null | string split0)
    switch "$records[1]"
        case words
            test (count $records) -gt 1; and string join0 -- $records[2..-1] | string split0
        case command
            set -l start (math $records[2] + 1)
            complete -C (string join ' ' -- (string escape -- $words[$start..-1]) (commandline -ct))
        case '*'
            __fish_complete_path $current
    end
end

complete -c ipc -f -k -a '(__ipc_complete)'

# Links with these names are completed if they lead to this program: others have such names too.
set -l ipc (command -s ipc)
for name in door fd fifo lock map mq pipe queue sem shm signal sock spool
    set -l link (command -s $name); or continue
    if test -n "$ipc"; and test (realpath -- $link) = (realpath -- $ipc)
        complete -c $name -f -k -a '(__ipc_complete)'
    end
end
