# Every file of tests loads this: `ipc` is the binary under test, in a directory of the test.

bats_load_library() { load "/usr/lib/bats/$1/load.bash"; }
bats_load_library bats-support
bats_load_library bats-assert

setup() {
    directory=$(mktemp -d)
    ln -s "${IPC:?names the binary under test}" "$directory/ipc"
    PATH=$directory:$PATH
    cd "$directory"
    # Every name of a test begins with this, and is removed with it.
    name=/ipc-bats-$$-$BATS_TEST_NUMBER-${BATS_TEST_FILENAME##*/}
}

teardown() {
    # Processes that a test left would keep its objects.
    jobs -p | xargs -r kill 2>/dev/null || true
    wait
    for file in /dev/shm"$name"* /dev/shm/sem."${name#/}"*; do
        [ ! -e "$file" ] || rm -f "$file"
    done
    ipc mq ls --json 2>/dev/null | grep -o "\"$name[^\"]*\"" | tr -d '"' | xargs -r ipc mq rm -f || true
    cd /
    rm -rf "$directory"
}

# Waits until a command succeeds, and fails the test if that takes too long.
eventually() {
    local tries=0
    until "$@" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 2000 ] || { echo "never: $*" >&2; return 1; }
        sleep 0.01
    done
}
