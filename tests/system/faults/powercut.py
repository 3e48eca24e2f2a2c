"""Plays a power cut on files written under shim.so with SHIM_JOURNAL: of everything not synced, each 512-byte sector of
each write is kept or lost as the seed says; lost truncations come back. Sectors are the unit a disk promises."""
import os
import struct

HEADER = struct.Struct("<IIIIqq")
WRITE, TRUNCATE = 1, 2
SECTOR = 512


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


def cut_file(path, journal, rng):
    """Returns how many bytes were lost."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    todo = entries(journal)
    for operation, offset, old_size, old, new in reversed(todo):  # back to what was synced
        if operation == WRITE:
            data[offset : offset + len(old)] = old
            del data[old_size:]
        elif operation == TRUNCATE:
            del data[offset:]
            data += old
            data += bytes(max(0, old_size - len(data)))
    lost = 0
    mode = rng.choice(("all lost", "sectors", "prefix"))
    until = rng.randint(0, len(todo))
    for number, (operation, offset, _, _, new) in enumerate(todo):
        if operation == TRUNCATE:
            if mode == "sectors" and rng.random() < 0.5 or mode == "prefix" and number < until:
                del data[offset:]
                data += bytes(max(0, offset - len(data)))
            continue
        for at in range(0, len(new), SECTOR):
            kept = mode == "prefix" and number < until or mode == "sectors" and rng.random() < 0.5
            piece = new[at : at + SECTOR]
            if not kept:
                lost += len(piece)
                continue
            if len(data) < offset + at:
                data += bytes(offset + at - len(data))
            data[offset + at : offset + at + len(piece)] = piece
    with open(path, "wb") as f:
        f.write(data)
    return lost


def cut(state, journal, rng):
    """All journalled files below state. The -shm file is memory: it is gone after a power cut."""
    by_inode, lost = {}, 0
    for folder, _, names in os.walk(state):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith("-shm"):
                os.unlink(path)
                continue
            by_inode[os.lstat(path).st_ino] = path
    for name in sorted(os.listdir(journal)):
        if name.isdigit() and int(name) in by_inode:
            lost += cut_file(by_inode[int(name)], os.path.join(journal, name), rng)
    for name in os.listdir(journal):
        os.unlink(os.path.join(journal, name))
    return lost
