"""Plays a power cut on files written under shim.so with SHIM_JOURNAL. Of every file: each 512-byte sector of each write that was
not synced is kept or lost as the seed says, and so are truncations; what a failed sync was to write is on no disk until it is
written and synced again. Of every folder: new files, renames and unlinks since its last sync happened up to some point only.
Round-robin files (written by mmap, synced by syncfs): each page is that of the last syncfs or the newest. Sectors are the unit a
disk promises; a name is on disk once its folder was synced (POSIX asks for that)."""
import os
import shutil
import stat
import struct

HEADER = struct.Struct("<IIIIqq")
WRITE, TRUNCATE, FAILED, SYNCED = 1, 2, 3, 4
SECTOR, PAGE = 512, 4096


def entries(path):
    with open(path, "rb") as f:
        raw = f.read()
    at, out = 0, []
    while at + HEADER.size <= len(raw):
        operation, old_len, new_len, _, offset, old_size = HEADER.unpack_from(raw, at)
        at += HEADER.size
        if at + old_len + new_len > len(raw):
            break
        out.append((operation, offset, old_size, raw[at : at + old_len], raw[at + old_len : at + old_len + new_len]))
        at += old_len + new_len
    return out


def undo(data, todo):
    """Back to what was synced before the first of them."""
    for operation, offset, old_size, old, _ in reversed(todo):
        if operation == WRITE:
            data[offset : offset + len(old)] = old
            del data[old_size:]
        elif operation == TRUNCATE:
            del data[offset:]
            data += old
            data += bytes(max(0, old_size - len(data)))


def redo(data, entry, kept):
    """Does it again as far as kept() says, sector by sector. Returns how many bytes were lost."""
    operation, offset, _, _, new = entry
    lost = 0
    if operation == TRUNCATE and kept():
        del data[offset:]
        data += bytes(max(0, offset - len(data)))
    for at in range(0, len(new), SECTOR):
        piece = new[at : at + SECTOR]
        if not kept():
            lost += len(piece)
            continue
        if len(data) < offset + at:
            data += bytes(offset + at - len(data))
        data[offset + at : offset + at + len(piece)] = piece
    return lost


def cut_file(path, journal, rng):
    """Returns how many bytes were lost."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    todo = entries(journal)
    undo(data, todo)
    marks = [(i, e[0]) for i, e in enumerate(todo) if e[0] in (FAILED, SYNCED)]
    pending = marks[-1][0] + 1 if marks else 0
    mode = rng.choice(("all lost", "sectors", "prefix"))
    until = rng.randint(pending, len(todo))
    lost = 0
    for number, entry in enumerate(todo):
        mark = next((m for i, m in marks if i >= number), None)  # what became of it
        if mark == SYNCED or mark is None and mode == "prefix" and number < until:
            lost += redo(data, entry, lambda: True)
        elif mode == "sectors":
            lost += redo(data, entry, lambda: rng.random() < 0.5)
        else:
            lost += redo(data, entry, lambda: False)
    with open(path, "wb") as f:
        f.write(data)
    return lost


def cut_names(journal, rng):
    """Names that were not synced: up to some point they happened. Returns how many did not."""
    log = f"{journal}/names"
    if not os.path.exists(log):
        return 0
    with open(log, encoding="utf-8") as f:
        lines = [line.rstrip("\n").split("\t") for line in f if line.endswith("\n")]
    pending = []
    for line in lines:
        if line[0] == "sync":
            pending = [p for p in pending if os.path.dirname(p[2]) != line[2]]
        else:
            pending.append(line)
    undone = pending[rng.randint(0, len(pending)) :]
    for kind, kept, path, to in reversed(undone):
        if kind == "rename" and os.path.lexists(to):
            os.rename(to, path)
        elif kind == "create" and os.path.lexists(path):
            os.unlink(path)
        if kept:
            put_back(f"{journal}/{kept}", to if kind == "rename" else path)
    return len(undone)


def put_back(kept, path):
    if os.path.exists(kept):
        if os.path.lexists(path):
            os.unlink(path)
        os.link(kept, path)


def cut_saved(saved, folder, rng):
    """Files that only syncfs brings to disk."""
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            old = os.path.join(saved, os.path.relpath(path, folder))
            how = rng.random()
            if how < 0.2:
                continue
            if not os.path.exists(old):  # it may even be there by name only
                os.truncate(path, rng.choice((0, os.path.getsize(path) // 2))) if how < 0.6 else os.unlink(path)
            elif os.path.getsize(old) != os.path.getsize(path) or how < 0.6:
                shutil.copy2(old, path)
            else:
                mix_pages(path, old, rng)


def mix_pages(path, old, rng):
    with open(path, "r+b") as f, open(old, "rb") as g:
        for at in range(0, os.path.getsize(path), PAGE):
            page = g.read(PAGE)
            if rng.random() < 0.5:
                f.seek(at)
                f.write(page)


def cut(state, journal, rng, saved=None):
    """Everything below state. The -shm file is memory: it is gone after a power cut. `saved`: the folder below state that was
    SHIM_SAVE. Returns how many bytes were lost."""
    by_inode, lost = {}, 0
    cut_names(journal, rng)
    if saved:
        cut_saved(f"{journal}/saved", saved, rng)
    for folder, _, names in os.walk(state):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith("-shm"):
                os.unlink(path)
            elif stat.S_ISREG(os.lstat(path).st_mode):
                by_inode[os.lstat(path).st_ino] = path
    for name in sorted(os.listdir(journal)):
        if name.isdigit() and int(name) in by_inode:
            lost += cut_file(by_inode[int(name)], os.path.join(journal, name), rng)
    for name in os.listdir(journal):
        if name != "saved":
            os.unlink(os.path.join(journal, name))
    return lost
