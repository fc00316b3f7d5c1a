"""A real Slurm on this machine, for tests: started, asked, and stopped."""

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

SCRIPTS = Path(__file__).parent
INSTALLED = Path("/etc/slurm/slurm.conf")


def obstacle() -> str | None:
    """Why no Slurm can be started here; None if it can, as far as can be told before."""
    if not Path("/etc/debian_version").is_file():
        return "a Slurm of one's own needs Debian's packages, and this is no Debian"
    if os.geteuid() != 0:
        return "only root may start Slurm's daemons"
    if INSTALLED.exists():
        return f"{INSTALLED} exists: this machine has a Slurm, which the tests leave alone"
    return None


@dataclass(frozen=True)
class Job:
    """A job that has ended, as Slurm's own record has it."""

    number: int
    name: str
    state: str
    partition: str
    start: datetime
    end: datetime

    def overlaps(self, other: "Job") -> bool:
        """Whether both ran at once."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Cluster:
    """One node, whose settings, state and logs lie in `folder`."""

    folder: Path
    environment: dict[str, str]

    @classmethod
    def start(cls, folder: Path, gpus: int) -> "Cluster":
        """Start what does not run. Raises CalledProcessError, with the reason in its stderr."""
        done = subprocess.run(
            [SCRIPTS / "start-slurm.sh", folder, str(gpus)],
            check=True,
            capture_output=True,
            text=True,
            timeout=400,
        )
        words = dict(re.findall(r"(SLURM_CONF|PATH)=(\S+)", done.stdout))
        path = words["PATH"].replace("$PATH", os.environ["PATH"])
        return cls(folder, {"SLURM_CONF": words["SLURM_CONF"], "PATH": path})

    def stop(self) -> None:
        """Cancel all jobs and end the daemons."""
        subprocess.run([SCRIPTS / "stop-slurm.sh", self.folder], check=True, timeout=120)

    def restart_controller(self) -> None:
        """End slurmctld as an administrator does, and start it again."""
        pid = int((self.folder / "slurmctld.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        while Path(f"/proc/{pid}/exe").exists():  # it writes its state
            time.sleep(0.1)
        Cluster.start(self.folder, gpus=0)  # the settings stay

    def ask(self, *command: str) -> str:
        """The output of a command of Slurm."""
        return subprocess.run(
            command,
            env=os.environ | self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout

    def queue(self) -> dict[int, tuple[str, str]]:
        """State, and name with comment, of each job that has not ended."""
        lines = self.ask("squeue", "--noheader", "--format=%i|%T|%j %k").splitlines()
        rows = [line.split("|", 2) for line in lines]
        return {int(number): (state, text) for number, state, text in rows}

    def device(self, job: int) -> str:
        """The GPUs of a job, as `IDX:0`, from what the controller knows of it."""
        found = re.findall(
            r"GRES=gpu:\d+\((IDX:\S+)\)", self.ask("scontrol", "-d", "show", "job", str(job))
        )
        return " ".join(found)

    def asked(self, job: int) -> str:
        """What the job asked for as a whole."""
        told = self.ask("scontrol", "show", "job", str(job))
        found = re.search(r"TresPerJob=(\S+)", told)
        return found[1] if found else ""

    def cores(self, job: int) -> int:
        """How many the job has."""
        return int(re.findall(r"NumCPUs=(\d+)", self.ask("scontrol", "show", "job", str(job)))[0])

    def ended(self) -> dict[int, Job]:
        """All jobs that have ended, from Slurm's record of them."""
        jobs = {}
        path = self.folder / "jobs.txt"
        for line in path.read_text().splitlines() if path.exists() else []:
            word = dict(re.findall(r"(\w+)=(\S*)", line))
            if word["StartTime"] == "Unknown":
                continue
            start, end = (datetime.fromisoformat(word[key]) for key in ("StartTime", "EndTime"))
            jobs[int(word["JobId"])] = Job(
                int(word["JobId"]), word["Name"], word["JobState"], word["Partition"], start, end
            )
        return jobs
