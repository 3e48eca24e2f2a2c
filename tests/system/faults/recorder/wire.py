"""The wire protocol from esep.proto alone: nothing of the C programs is used, so that both can't share one mistake."""
import importlib.util
import os
import subprocess
import sys


def load(proto, folder):
    """Compiles esep.proto with protoc into folder and returns the module."""
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["protoc", f"--python_out={folder}", f"-I{os.path.dirname(proto)}", proto], check=True)
    path = os.path.join(folder, "esep_pb2.py")
    spec = importlib.util.spec_from_file_location("esep_pb2", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["esep_pb2"] = module
    spec.loader.exec_module(module)
    return module


def batch(pb, incarnation, sequence, declares, samples, kind=None):
    """samples: (number, time, value); value int, float or None. Returns the message's bytes."""
    envelope = pb.Envelope()
    b = envelope.batch
    b.incarnation = incarnation
    b.sequence = sequence
    setattr(b, "class", kind if kind is not None else pb.MEASUREMENT)
    b.declares = declares
    before = 0
    for index, (number, time, value) in enumerate(samples):
        where = 2 if value is None else 1 if isinstance(value, float) else 0
        b.tag.append(number << 2 | where)
        b.time.append(time - before)
        before = time
        if where == 0:
            b.integer.append(value)
        elif where == 1:
            b.real.append(value)
        else:
            b.note.add(index=index, status=pb.MISSING, reason="no figure")
    return envelope.SerializeToString()


def samples_of(b):
    """The other way: a Batch as [(number, time, value)]."""
    out, time, integers, reals = [], 0, iter(b.integer), iter(b.real)
    for tag, delta in zip(b.tag, b.time):
        time += delta
        kind = tag & 3
        value = next(integers) if kind == 0 else next(reals) if kind == 1 else None
        out.append((tag >> 2, time, value))
    return out
