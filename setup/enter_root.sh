#!/bin/sh
# Enters a private root: enter_root.sh ROOT FOLDER COUNT BIND... COMMAND...
# To be started in a mount namespace of its own (unshare --mount --propagation private): what is mounted here is seen by this
# command only and ends with it.
set -eu
root=$1 folder=$2 count=$3
shift 3
while [ "$count" -gt 0 ]; do
    mkdir -p "$root$1"
    mount --rbind "$1" "$root$1"
    shift
    count=$((count - 1))
done
for system in proc sys dev; do
    mount --rbind "/$system" "$root/$system"
done
# Shared memory of its own: containers often give 64 MB, which is too little for MPI.
if [ -d "$root/dev/shm" ]; then
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
fi
# Names are looked up as the machine does at this moment.
for file in /etc/resolv.conf /etc/hosts; do
    if [ -e "$file" ]; then
        # A symbolic link would lead out of the root.
        [ ! -L "$root$file" ] || rm -- "$root$file"
        [ -e "$root$file" ] || : >"$root$file"
        mount --bind "$file" "$root$file"
    fi
done
exec chroot "$root" sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
