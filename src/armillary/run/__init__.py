"""Jobs: a request or study being executed, its progress, log and result."""

from armillary.run.jobs import ENDED, Job, JobStore
from armillary.run.local import execute, submit, wait

__all__ = ["ENDED", "Job", "JobStore", "execute", "submit", "wait"]
