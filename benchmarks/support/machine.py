"""What a result depends on besides its settings: the machine, and the commit of the sources."""

import os
import pathlib
import platform
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def output_of(*command, cwd=None):
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


def commit():
    """The commit of the sources; "unknown" if git cannot tell."""
    try:
        changed = output_of("git", "status", "--porcelain", "--untracked-files=no", cwd=ROOT)
        return output_of("git", "rev-parse", "--short", "HEAD", cwd=ROOT) + (" and changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine():
    cpus = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return f"{(cpus or [platform.machine()])[0]}, {os.cpu_count()} CPUs"
