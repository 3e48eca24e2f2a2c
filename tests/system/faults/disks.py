"""Small file systems that can be filled."""
import contextlib
import os
import shutil
import stat
import subprocess


def copy_state(source, target, **more):
    """A folder as a backup would have it: without sockets."""

    def sockets(folder, names):
        return [n for n in names if stat.S_ISSOCK(os.lstat(os.path.join(folder, n)).st_mode)]

    shutil.copytree(source, target, ignore=sockets, **more)


@contextlib.contextmanager
def small_disk(path, size):
    """A file system of that size over the folder; what is in it moves along. Unmounted at the end."""
    os.makedirs(path, exist_ok=True)
    saved = f"{path}.before"
    copy_state(path, saved, symlinks=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=2750", "tmpfs", path], check=True)
    try:
        shutil.copytree(saved, path, dirs_exist_ok=True)
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=False)


def fill(path, leave=0):
    """A stranger's file that eats the room."""
    free = os.statvfs(path)
    size = free.f_bavail * free.f_frsize - leave
    try:
        with open(f"{path}/stranger", "wb") as f:
            f.write(bytes(max(0, size)))
    except OSError:  # somebody was quicker: full it is
        pass


def make_room(path):
    os.unlink(f"{path}/stranger")


def grow(path, size):
    subprocess.run(["mount", "-o", f"remount,size={size}", path], check=True)
