#!/bin/sh
# Usage: status.sh JOB
#
# Print what Snakemake asks of a job: running (or waiting), success or failed.
answer=$(squeue --noheader --states=all --jobs="$1" --format=%T 2>&1)
case $answer in
    COMPLETED) echo success ;;
    BOOT_FAIL | CANCELLED | DEADLINE | FAILED | NODE_FAIL | OUT_OF_MEMORY | PREEMPTED | REVOKED | TIMEOUT)
        echo failed ;;
    '' | *"Invalid job id"*) # Slurm has forgotten it; its accounting may know
        case $(sacct --noheader --allocations --jobs="$1" --format=State%20 2>/dev/null) in
            *COMPLETED*) echo success ;;
            *) echo failed ;;
        esac ;;
    # All other states are on the way to one of these. No answer is none of the job's: a
    # controller that is being restarted must not cost a run.
    *) echo running ;;
esac
