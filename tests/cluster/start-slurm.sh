#!/usr/bin/env bash
# Usage: eval "$(start-slurm.sh DIR [GPUS])"
#
# Start a Slurm cluster of one node on this Debian machine, as root and without systemd or
# cgroups: 8 pretend CPUs, GPUS (1) pretend GPUs, partitions "cpu" (the default), "gpu", "spare", and
# "urgent", whose jobs put those of "gpu" back into the queue and cancel those of "spare".
# Installs Slurm if it is missing, starts what is not running, and leaves what is. Settings,
# state, logs and pid files live in DIR; DIR/jobs.txt gets a line for each job that ends.
# Listens on port SLURM_TEST_PORT (16817) and the next, on loopback alone if the host name means
# 127.0.0.1. Standard output is the shell line that points the Slurm commands here;
# stop-slurm.sh DIR ends it all.
set -euo pipefail
dir=$(realpath -m "${1:?usage: start-slurm.sh DIR [GPUS]}")
gpus=${2:-1}
port=${SLURM_TEST_PORT:-16817}
node=$(hostname -s)
bind= # which addresses to listen on: loopback if the host name means that, else all
[ "$(getent ahostsv4 "$node" | awk '{print $1; exit}')" != 127.0.0.1 ] ||
    bind=CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
memory=$(awk '/^MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
export SLURM_CONF=$dir/slurm.conf PATH=$PATH:/usr/sbin

die() { echo "start-slurm: $*" >&2; exit 1; }
alive() { # NAME: its pid file names a live process that runs it (a zombie has no exe)
    local pid
    pid=$(cat "$dir/$1.pid" 2>/dev/null) && [[ $(readlink "/proc/$pid/exe") == */$1* ]]
}
start() { # NAME COMMAND...: run it detached, unless it runs already
    alive "$1" && return
    setsid "${@:2}" </dev/null >>"$dir/$1.log" 2>&1 &
    echo $! >"$dir/$1.pid"
}
install() { apt-get install -y --no-install-recommends munge slurmctld slurmd slurm-client; }

[ "$(id -u)" = 0 ] || die "must run as root"
[ ! -e /etc/slurm/slurm.conf ] || die "/etc/slurm/slurm.conf exists: not touching a real cluster"
[ ${#dir} -le 90 ] || die "path too long to hold a socket: $dir"
mkdir -p "$dir/ctld" "$dir/slurmd" "$dir/bin"

if ! type munged slurmctld slurmd sbatch >/dev/null 2>&1; then
    export DEBIAN_FRONTEND=noninteractive
    { install || { apt-get update && install; }; } >"$dir/apt.log" 2>&1 ||
        die "could not install Slurm, see $dir/apt.log"
fi

# Snakemake's job step unsets SLURM_CONF before it calls srun, which on a cluster lies in /etc.
cat >"$dir/bin/srun" <<SRUN
#!/bin/sh
SLURM_CONF=$SLURM_CONF exec /usr/bin/srun "\$@"
SRUN
chmod +x "$dir/bin/srun"

if ! alive slurmd; then
    cat >"$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
$bind
SlurmUser=root
AuthInfo=socket=$dir/munge.socket,cred_expire=10
StateSaveLocation=$dir/ctld
SlurmdSpoolDir=$dir/slurmd
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/jobs.txt
MinJobAge=3600
KillWait=5
ReturnToService=2
EnforcePartLimits=ALL
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
SlurmdParameters=config_overrides
GresTypes=gpu
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=$node NodeAddr=127.0.0.1 CPUs=8 RealMemory=$memory Gres=gpu:$gpus
PartitionName=cpu Nodes=$node MaxTime=1440 PriorityTier=2 PreemptMode=OFF Default=YES
PartitionName=gpu Nodes=$node MaxTime=1440
PartitionName=spare Nodes=$node MaxTime=1440 PreemptMode=CANCEL
PartitionName=urgent Nodes=$node MaxTime=1440 PriorityTier=3 PreemptMode=OFF
CONF
    # A pretend GPU needs a file that is a device; without one Slurm drains the node.
    : >"$dir/gres.conf"
    for ((i = 0; i < gpus; i++)); do
        [ -e "$dir/gpu$i" ] || mknod "$dir/gpu$i" c 1 3 # as /dev/null
        echo "NodeName=$node Name=gpu File=$dir/gpu$i" >>"$dir/gres.conf"
    done
fi
[ -s "$dir/munge.key" ] || (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")

start munged munged --foreground --force --key-file="$dir/munge.key" \
    --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" --seed-file="$dir/munge.seed"
start slurmctld slurmctld -D
start slurmd slurmd -D

end=$((SECONDS + 30))
while [ $SECONDS -lt $end ]; do
    case $(timeout 2 sinfo -h -n "$node" -o %T 2>/dev/null | sort -u) in
        idle | mixed | allocated)
            echo "export SLURM_CONF=$SLURM_CONF PATH=$dir/bin:\$PATH"
            exit ;;
    esac
    sleep 0.2
done
tail -n 3 "$dir"/{munged,slurmctld,slurmd}.log >&2
die "no usable node: $(timeout 2 sinfo -h -N -o '%N %T %E' 2>&1 | tail -n 1)"
