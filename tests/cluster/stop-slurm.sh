#!/usr/bin/env bash
# Usage: stop-slurm.sh DIR
#
# Cancel all jobs of the cluster that start-slurm.sh keeps in DIR and end its
# daemons, each by its pid file. The files in DIR stay.
set -euo pipefail
dir=$(realpath -m "${1:?usage: stop-slurm.sh DIR}")
export SLURM_CONF=$dir/slurm.conf

alive() { # NAME: its pid file names a live process that runs it (a zombie has no exe)
    local pid
    pid=$(cat "$dir/$1.pid" 2>/dev/null) && [[ $(readlink "/proc/$pid/exe") == */$1* ]]
}

if alive slurmctld; then
    timeout 10 scancel --user=root || true
    for _ in $(seq 50); do # at most 10 s, or so
        [ -n "$(timeout 5 squeue -h)" ] || break
        sleep 0.2
    done
fi
for name in slurmd slurmctld munged; do
    alive "$name" || continue
    pid=$(cat "$dir/$name.pid")
    kill "$pid"
    for _ in $(seq 50); do
        alive "$name" || continue 2
        sleep 0.1
    done
    kill -9 "$pid"
done
