#!/bin/sh
# A pipe between a parent and its child, in both directions: 'coproc' of bash and ksh, in every shell.
#
# 'ipc pipe run -- A -- B' connects two commands in one direction, '--loop' in both.
#
# Prints:
#   the child says: 6 times 7 is 42
set -eu
directory=$(mktemp -d)
trap 'rm -r "$directory"' EXIT
trap 'exit 1' HUP INT TERM

# A shell cannot keep the ends of a pipe without a name. The FIFOs have their names for a moment only.
ipc fifo create "$directory/down" "$directory/up"
sh -c 'while read -r a b; do echo "$a times $b is $((a * b))"; done' \
    <"$directory/down" >"$directory/up" &
exec 3>"$directory/down" 4<"$directory/up"
rm "$directory/down" "$directory/up"

echo 6 7 >&3
read -r answer <&4
echo "the child says: $answer"

exec 3>&- # the child sees the end of its input
wait
