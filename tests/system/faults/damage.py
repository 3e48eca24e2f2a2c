"""What a bad disk does to a file."""
import os


def damage(path, rng, ways=("flip", "flip", "flip", "cut", "zero")):
    """One byte's bit flipped, the file cut short, or a page of it zeroed. Returns which."""
    size = os.path.getsize(path)
    if size == 0:
        return "empty"
    how = rng.choice(ways)
    with open(path, "r+b") as f:
        if how == "flip":
            at = rng.randrange(size)
            f.seek(at)
            byte = f.read(1)[0] ^ 1 << rng.randrange(8)
            f.seek(at)
            f.write(bytes([byte]))
        elif how == "cut":
            f.truncate(rng.randrange(size))
        else:
            page = rng.randrange((size + 4095) // 4096)
            f.seek(page * 4096)
            f.write(bytes(min(4096, size - page * 4096)))
    return how
