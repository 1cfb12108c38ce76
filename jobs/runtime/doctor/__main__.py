"""python -m jobs.runtime.doctor QUESTION: the survey as a process of its own. Its last line is the nodes, as JSON."""

import json
import signal
import sys
from dataclasses import asdict

from jobs.runtime.cli import run_job
from jobs.runtime.doctor.survey import Question, survey

GRACE_S = 10


def main() -> int:
    question = Question(**json.loads(sys.argv[1]))
    signal.alarm(round(question.seconds) + GRACE_S)  # whoever asked may be dead
    print(json.dumps([asdict(node) for node in survey(question)]))
    return 0


if __name__ == "__main__":
    run_job(main)
