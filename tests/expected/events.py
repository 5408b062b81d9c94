"""The bytes of scalar events as TensorBoard's own writer frames them (TFRecord, in hexadecimal).

    python3 -m venv venv && venv/bin/pip install tensorboard && venv/bin/python events.py
"""
import io
import json
import pathlib

import tensorboard
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

CASES = [("loss/train", 0.1, 300, 1.5e9), ("loss/train", -2.5e-8, 2**40 + 1, 1.5e9 + 0.25), ("n" * 200, float("inf"), 1, 1.0)]


def record(tag, value, step, seconds):
    event = Event(wall_time=seconds, step=step, summary=Summary(value=[Summary.Value(tag=tag, simple_value=value)]))
    file = io.BytesIO()
    RecordWriter(file).write(event.SerializeToString())
    return file.getvalue().hex()


if __name__ == "__main__":
    cases = [{"tag": tag, "value": str(value), "step": step, "seconds": seconds, "record": record(tag, value, step, seconds)}
             for tag, value, step, seconds in CASES]
    lines = ",\n".join(json.dumps(case) for case in cases)
    pathlib.Path(__file__).with_suffix(".json").write_text(
        f'{{"tensorboard": "{tensorboard.__version__}", "cases": [\n{lines}\n]}}\n')
